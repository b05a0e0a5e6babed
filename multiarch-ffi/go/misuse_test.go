package multiarch_test

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	multiarch "github.com/multiarch/multiarch/multiarch-ffi/go"
	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
)

// golang/go#68275: runtime.Goexit, which t.Fatal calls, in a thread that C has made ends the process.
func TestCallbackThatEndsItsGoroutine(t *testing.T) {
	c, ended := intoLayout(t), make(chan bool)
	go func() {
		returned := false
		defer func() { ended <- returned }()
		_, _ = c.Import(context.Background(), multiarch.WithProgress(func(types.Progress) { new(testing.T).FailNow() }))
		returned = true
	}()
	if <-ended {
		t.Fatal("the call returned")
	}
	if _, err := c.Inspect(context.Background()); err != nil {
		t.Fatal("the process goes on: ", err)
	}
}

// golang/go#13164: a program that is started from the callback inherits the mask of its thread.
func TestCallbackThatStartsAProgram(t *testing.T) {
	c := intoLayout(t)
	var blocked string
	_, err := c.Import(context.Background(), multiarch.WithProgress(func(types.Progress) {
		out, err := exec.Command("grep", "SigBlk", "/proc/self/status").Output()
		if err != nil {
			t.Error(err)
		}
		blocked = strings.TrimSpace(string(out))
	}))
	if err != nil || strings.Trim(strings.TrimPrefix(blocked, "SigBlk:"), "\t0") != "" {
		t.Fatalf("%v %q", err, blocked)
	}
}

func TestCallbackThatCalls(t *testing.T) {
	c, called := intoLayout(t), 0
	_, err := c.Import(context.Background(), multiarch.WithProgress(func(types.Progress) {
		called++
		if _, err := c.Inspect(context.Background(), multiarch.WithProgress(nil)); err != nil {
			t.Error(err)
		}
	}))
	if err != nil || called == 0 {
		t.Fatal(err, called)
	}
}

// vbatts/tar-split#17: encoding/json changes what is not UTF-8, which then names something else.
func TestTextThatIsNotUTF8(t *testing.T) {
	c, ctx := client(t), context.Background()
	for _, option := range []multiarch.Option{
		multiarch.WithTarget("oci:/tmp/st\xffore"), multiarch.WithPackages("/tmp/\xff"), multiarch.WithChartsTo("dir:\xff"),
		multiarch.WithCredentials(types.Login{Username: "u", Password: "p\xe4ss"}),
		multiarch.WithImport(func(o *types.ImportOptions) { o.CAFiles = []string{"\xff"} }),
		multiarch.WithImport(func(o *types.ImportOptions) { o.Names = &types.Names{Repository: "\xff"} }),
	} {
		if _, err := c.Plan(ctx, option); !errors.Is(err, multiarch.ErrUsage) || strings.Contains(err.Error(), "p\xe4ss") {
			t.Errorf("%v", err)
		}
	}
	if _, err := c.ReadConfig([]byte("spec: p\xe4ss\n")); !errors.Is(err, multiarch.ErrUsage) {
		t.Errorf("%v", err)
	}
}

func TestPlanThatIsNone(t *testing.T) {
	c := client(t)
	for _, plan := range []string{"", " ", "null", "{}", "[]", `{"schema":`, "garbage", "{}{}", strings.Repeat("[", 20000)} {
		if _, err := c.Apply(context.Background(), json.RawMessage(plan)); !errors.Is(err, multiarch.ErrUsage) {
			t.Errorf("%.20q: %v", plan, err)
		}
	}
	if _, err := c.Apply(context.Background(), nil); !errors.Is(err, multiarch.ErrUsage) {
		t.Errorf("%v", err)
	}
}

// golang/go#79501: with a cause, the context's own error is still an error of the call.
func TestCauses(t *testing.T) {
	t.Parallel() // it waits for most of its time
	c, why := client(t, multiarch.WithTarget("http://"+silent(t)), multiarch.WithCredentials(*types.Anonymous())), errors.New("enough")
	begin := map[string]func() (context.Context, error){
		"cancelled": func() (context.Context, error) {
			ctx, cancel := context.WithCancelCause(context.Background())
			time.AfterFunc(100*time.Millisecond, func() { cancel(why) })
			return ctx, context.Canceled
		},
		"timed out": func() (context.Context, error) {
			ctx, cancel := context.WithTimeoutCause(context.Background(), 100*time.Millisecond, why)
			t.Cleanup(cancel)
			return ctx, context.DeadlineExceeded
		},
	}
	for name, begin := range begin {
		ctx, own := begin()
		_, err := c.Status(ctx)
		if !errors.Is(err, own) || !errors.Is(err, why) || !errors.Is(err, multiarch.ErrCancelled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// nao1215/atago#372: a context that ends while the call begins.
	for at := range 200 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(at)*20*time.Microsecond)
		if _, err := c.Status(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, multiarch.ErrCancelled) {
			t.Errorf("%v", err)
		}
		cancel()
	}
}

func TestOptionsOfACallThatAreTheClients(t *testing.T) {
	if err := client(t).CheckOptions(multiarch.WithCommand("/nonexistent")); !errors.Is(err, multiarch.ErrUsage) {
		t.Fatal(err)
	}
}
