package multiarch_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	multiarch "github.com/multiarch/multiarch/multiarch-ffi/go"
	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
)

// packages are two small packages, one for amd64 and one for arm64, in the folder MULTIARCH_PACKAGES.
func packages(t testing.TB) []string {
	t.Helper()
	folder := os.Getenv("MULTIARCH_PACKAGES")
	found, err := filepath.Glob(filepath.Join(folder, "*.tar.gz"))
	if err != nil || len(found) != 2 {
		t.Fatalf("MULTIARCH_PACKAGES names no folder with two packages: %q; run ci/test-go", folder)
	}
	return found
}

func client(t testing.TB, options ...multiarch.Option) *multiarch.Client {
	t.Helper()
	made, err := multiarch.New(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.Close() })
	return made
}

// intoLayout makes a client that imports into a directory.
func intoLayout(t testing.TB) *multiarch.Client {
	t.Helper()
	folder := t.TempDir()
	return client(t, multiarch.WithPackages(packages(t)...),
		multiarch.WithTarget("oci:"+filepath.Join(folder, "store")),
		multiarch.WithChartsTo("dir:"+filepath.Join(folder, "charts")),
		multiarch.WithImport(func(o *types.ImportOptions) { o.Registry = "registry.example.com/platform" }))
}

func TestEveryCall(t *testing.T) {
	c, ctx := intoLayout(t), context.Background()
	if err := c.CheckOptions(); err != nil {
		t.Fatal(err)
	}
	inspected, err := c.Inspect(ctx)
	if err != nil || !inspected.Complete || len(inspected.Value.Packages) != 2 {
		t.Fatalf("%v %+v", err, inspected)
	}
	plan, err := c.Plan(ctx)
	if err != nil || !plan.Complete || plan.Value.BytesToSend == 0 {
		t.Fatalf("%v %+v", err, plan)
	}
	before, err := c.Verify(ctx)
	if err != nil || before.Complete {
		t.Fatalf("nothing is there yet: %v %+v", err, before)
	}
	report, err := c.Apply(ctx, plan.JSON, multiarch.WithOptions(types.Options{}))
	if err != nil || !report.Complete || report.Value.TagsWritten == 0 {
		t.Fatalf("%v %+v", err, report)
	}
	for _, image := range report.Value.Images {
		if strings.HasPrefix(image.Name, "mesh/") && len(image.Platforms) != 2 {
			t.Errorf("%s has %v", image.Name, image.Platforms)
		}
	}
	again, err := c.Import(ctx)
	if err != nil || !again.Complete || again.Value.TagsWritten != 0 {
		t.Fatalf("%v %+v", err, again)
	}
	after, err := c.Verify(ctx)
	if err != nil || !after.Complete {
		t.Fatalf("%v %+v", err, after)
	}
	status, err := c.Status(ctx)
	if err != nil || len(status.Value.Tags) != len(report.Value.Images) {
		t.Fatalf("%v %+v", err, status)
	}
	can, err := c.Capabilities()
	if err != nil || can.Version == "" || can.Schemas["plan"] != plan.Value.Schema {
		t.Fatalf("%v %+v", err, can)
	}
}

func TestClusterConfig(t *testing.T) {
	c := client(t)
	found, err := c.ReadConfig([]byte("spec:\n  addonPackage: {path: [/a, /b]}\n  imagesAndCharts:\n    type: external\n    externalImageRepo: https://h.example.com\n    externalImageRepoUsername: u\n    externalImageRepoPassword: hush\n"))
	if err != nil || found.Target != "https://h.example.com" || !slices.Equal(found.Packages, []string{"/a", "/b"}) {
		t.Fatalf("%v %v", err, found)
	}
	if *found.Credentials != (types.Login{Username: "u", Password: "hush"}) || strings.Contains(found.Credentials.String(), "hush") {
		t.Fatal("the login")
	}
	if err := c.CheckOptions(multiarch.WithOptions(*found)); err != nil {
		t.Fatal(err)
	}
	_, err = c.ReadConfig([]byte("kind: Pod"))
	if !errors.Is(err, multiarch.ErrUsage) {
		t.Fatal(err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel() // it waits for most of its time
	c := intoLayout(t)
	_, err := c.Plan(context.Background(), multiarch.WithTarget("ftp://a"))
	var own *multiarch.Error
	if !errors.Is(err, multiarch.ErrUsage) || !errors.As(err, &own) || own.Kind() != multiarch.ErrUsage || errors.Is(err, multiarch.ErrIO) {
		t.Fatalf("%v", err)
	}
	var document types.Failure
	if json.Unmarshal(own.JSON, &document) != nil || document.Error != own.Problem {
		t.Fatalf("%s", own.JSON)
	}
	_, err = c.Status(context.Background(), multiarch.WithPackages(), multiarch.WithChartsTo(), multiarch.WithTarget("http://127.0.0.1:1"))
	if !errors.Is(err, multiarch.ErrNetwork) || !errors.As(err, &own) || own.Host == "" {
		t.Fatalf("%v", err)
	}
	_, err = c.Apply(context.Background(), json.RawMessage("{}"))
	if !errors.Is(err, multiarch.ErrUsage) {
		t.Fatalf("%v", err)
	}
}

func TestIncompleteReportsAreErrors(t *testing.T) {
	c := intoLayout(t)
	broken := filepath.Join(t.TempDir(), "addon-offline-full-package-v2.0.0-arm64.tar.gz")
	bytes, err := os.ReadFile(packages(t)[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(broken, bytes[:1000], 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := c.Import(context.Background(), multiarch.WithPackages(packages(t)[0], broken))
	var incomplete *multiarch.IncompleteError
	if !errors.As(err, &incomplete) || report == nil || report.Complete || report.Value.TagsWritten == 0 {
		t.Fatalf("%v %+v", err, report)
	}
	if !errors.Is(err, multiarch.ErrTruncated) || len(incomplete.Errors) == 0 {
		t.Fatalf("%v", incomplete.Errors)
	}
}

func TestCancel(t *testing.T) {
	c := client(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("enough")
	cancel(why)
	_, err := c.Inspect(ctx, multiarch.WithPackages(packages(t)...))
	if !errors.Is(err, multiarch.ErrCancelled) || !errors.Is(err, why) {
		t.Fatalf("%v", err)
	}
}

func TestClose(t *testing.T) {
	server := silent(t)
	c, err := multiarch.New(multiarch.WithTarget("http://"+server), multiarch.WithCredentials(types.Login{}))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := c.Status(context.Background())
		ended <- err
	}()
	time.Sleep(200 * time.Millisecond)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, multiarch.ErrCancelled) {
			t.Fatal(err)
		}
	// The call has ended, and the goroutine that made it may not have said so yet.
	case <-time.After(time.Second):
		t.Fatal("Close returned before the call")
	}
	if _, err := c.Status(context.Background()); !errors.Is(err, multiarch.ErrClosed) {
		t.Fatal(err)
	}
}

func TestProgress(t *testing.T) {
	c := intoLayout(t)
	var mutex sync.Mutex
	var events []types.Progress
	_, err := c.Import(context.Background(), multiarch.WithProgress(func(p types.Progress) {
		mutex.Lock()
		defer mutex.Unlock()
		events = append(events, p)
	}))
	if err != nil {
		t.Fatal(err)
	}
	// No lock: nothing may come any more, which the race detector would see.
	if last := events[len(events)-1]; last.Images != last.ImagesTotal || last.ImagesTotal == 0 {
		t.Fatalf("%+v", last)
	}
}

func TestPanicOfTheCallback(t *testing.T) {
	c := intoLayout(t)
	defer func() {
		if caught := recover(); caught != "of the host" {
			t.Fatalf("%v", caught)
		}
		if _, err := c.Inspect(context.Background()); err != nil {
			t.Fatal("the process goes on: ", err)
		}
	}()
	_, _ = c.Import(context.Background(), multiarch.WithProgress(func(types.Progress) { panic("of the host") }))
	t.Fatal("no panic")
}

func TestOptionsOfACallStayItsOwn(t *testing.T) {
	c := client(t, multiarch.WithImport(func(o *types.ImportOptions) {
		o.InsecureHosts = append(make([]string, 0, 8), "a.example.com")
		o.Names = &types.Names{Mode: "registry"}
	}), multiarch.WithTarget("oci:/nonexistent/store"))
	var wait sync.WaitGroup
	for range 8 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			err := c.CheckOptions(multiarch.WithImport(func(o *types.ImportOptions) {
				o.InsecureHosts = append(o.InsecureHosts, "b.example.com")
				o.Names.Mode = "prefix-registry"
			}))
			if err != nil {
				t.Error(err)
			}
		}()
	}
	wait.Wait()
}
