package multiarch_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	multiarch "github.com/multiarch/multiarch/multiarch-ffi/go"
	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
)

// many is how many goroutines call at once.
func many() int {
	if number, err := strconv.Atoi(os.Getenv("MULTIARCH_GOROUTINES")); err == nil {
		return number
	}
	return 100
}

func TestManyLookWhileOneWrites(t *testing.T) {
	c, ctx := intoLayout(t), context.Background()
	var wait sync.WaitGroup
	for at := range many() {
		wait.Add(1)
		go func() {
			defer wait.Done()
			var err error
			if at%2 == 0 {
				_, err = c.Inspect(ctx)
			} else {
				_, err = c.Plan(ctx)
			}
			if err != nil {
				t.Error(err)
			}
		}()
	}
	report, err := c.Import(ctx)
	if err != nil || !report.Complete {
		t.Errorf("%v %+v", err, report)
	}
	wait.Wait()
}

// TestCancelAtAnyMoment cancels an import into a registry that is written to slowly. What it leaves is legal:
// no tag lists what is not there, and the same call goes on from there.
func TestCancelAtAnyMoment(t *testing.T) {
	undisturbed := tagsAfter(t, client(t, registryOptions(t, registry(t))...))
	for _, after := range []time.Duration{0, 50, 200, 500, 1000, 2000} {
		options := registryOptions(t, registry(t))
		c := client(t, options...)
		ctx, cancel := context.WithTimeout(context.Background(), after*time.Millisecond)
		result, err := c.Import(ctx, multiarch.WithImport(func(o *types.ImportOptions) { o.LimitRate = 2000 }))
		late := time.Since(deadline(ctx))
		cancel()
		t.Logf("cancelled after %d ms, returned %v later: %v", after, late.Round(time.Millisecond), err)
		if !errors.Is(err, multiarch.ErrCancelled) || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%v", err)
		}
		if result != nil && !result.Value.Cancelled {
			t.Errorf("%+v", result.Value)
		}
		// A second is what is promised; the machine may be busy.
		if late > 3*time.Second {
			t.Errorf("it went on for %v", late)
		}
		status, err := c.Status(context.Background(), multiarch.WithPackages())
		if err != nil || !status.Complete {
			t.Errorf("%v %+v", err, status)
		}
		if found := tagsAfter(t, c); !reflect.DeepEqual(found, undisturbed) {
			t.Errorf("%v, not %v", found, undisturbed)
		}
	}
}

func deadline(ctx context.Context) time.Time {
	at, _ := ctx.Deadline()
	return at
}

func registryOptions(t *testing.T, address string) []multiarch.Option {
	return []multiarch.Option{
		multiarch.WithPackages(packages(t)...), multiarch.WithTarget("http://" + address),
		multiarch.WithCredentials(*types.Anonymous()),
		multiarch.WithImport(func(o *types.ImportOptions) { o.Registry = "registry.example.com" }),
	}
}

// tagsAfter imports, and gives each tag's digest.
func tagsAfter(t *testing.T, c *multiarch.Client) map[string]string {
	t.Helper()
	if report, err := c.Import(context.Background()); err != nil {
		t.Fatalf("%v %+v", err, report)
	}
	status, err := c.Status(context.Background(), multiarch.WithPackages())
	if err != nil || !status.Complete || len(status.Value.Tags) == 0 {
		t.Fatalf("%v %+v", err, status)
	}
	tags := map[string]string{}
	for _, tag := range status.Value.Tags {
		tags[tag.Name] = tag.Digest
	}
	return tags
}

func TestPackagesCanBeRelative(t *testing.T) {
	c := intoLayout(t)
	t.Chdir(filepath.Dir(packages(t)[0]))
	if found, err := c.Inspect(context.Background(), multiarch.WithPackages(filepath.Base(packages(t)[0]))); err != nil || !found.Complete {
		t.Fatalf("%v %+v", err, found)
	}
}
