package multiarch

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"sync"
	"unicode/utf8"

	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
)

// Client makes calls. It may be used by any number of goroutines at once.
type Client struct {
	settings settings
	engine   engine
	// Places for calls that write nothing: each has threads of its own, or a process. The others wait.
	looking chan struct{}
	// Cancelled by Close.
	closing context.Context
	close   context.CancelFunc
	mutex   sync.Mutex
	closed  bool
	calls   sync.WaitGroup
}

// ErrClosed is what calls of a closed client return.
var ErrClosed = errors.New("multiarch: the client is closed")

// New makes a client. What these options say counts for all of its calls; a call can say more.
//
// It fails where the C library or the command cannot be used.
func New(options ...Option) (*Client, error) {
	settings, err := settings{}.with(options)
	if err != nil {
		return nil, err
	}
	engine, err := newEngine(settings)
	if err != nil {
		return nil, err
	}
	closing, cancel := context.WithCancel(context.Background())
	return &Client{
		settings: settings, engine: engine, looking: make(chan struct{}, 32), closing: closing, close: cancel,
	}, nil
}

// Close cancels the calls that are running, and waits until they have returned; their errors are ErrClosed, too.
// It never fails, and may be called again, but not by the function of [WithProgress], whose call it would wait for.
func (c *Client) Close() error {
	c.mutex.Lock()
	c.closed = true
	c.mutex.Unlock()
	c.close()
	c.calls.Wait()
	return nil
}

// Capabilities says what the library can do.
func (c *Client) Capabilities() (*types.Capabilities, error) {
	result, err := run[types.Capabilities](context.Background(), c, "capabilities", nil, input{})
	return value(result), err
}

// CheckOptions checks the client's options together with these: their form, and their addresses. It opens no
// file and asks no server.
func (c *Client) CheckOptions(options ...Option) error {
	_, err := run[struct{}](context.Background(), c, "options-check", options, input{})
	return err
}

// ReadConfig reads the content of the installer's clusterConfig.yaml, and gives the options that it means:
// packages, target and chart repository, with the logins that stand in it. Pass them on with [WithOptions].
func (c *Client) ReadConfig(text []byte) (*types.Options, error) {
	result, err := run[types.Options](context.Background(), c, "config", nil, input{Text: string(text)})
	return value(result), err
}

// Inspect lists what packages hold. The result is complete where all of them can be imported as a whole.
func (c *Client) Inspect(ctx context.Context, options ...Option) (*Result[types.Inspections], error) {
	return run[types.Inspections](ctx, c, "inspect", options, input{})
}

// Status reports what the target holds: each tag, and its platforms. With packages only their tags, and their
// charts. The result is complete where all tags could be read, and the target has what they list.
func (c *Client) Status(ctx context.Context, options ...Option) (*Result[types.Status], error) {
	return run[types.Status](ctx, c, "status", options, input{})
}

// Plan plans an import: what will be sent, written and kept. It writes nothing. The result is complete where
// the plan has everything that was asked for; its JSON is what [Client.Apply] takes, and holds no secrets.
func (c *Client) Plan(ctx context.Context, options ...Option) (*Result[types.Plan], error) {
	return run[types.Plan](ctx, c, "plan", options, input{})
}

// Verify compares the target with packages, down to each layer that its tags list. It writes nothing. The
// result is complete where an import would have nothing to do, because all is there.
func (c *Client) Verify(ctx context.Context, options ...Option) (*Result[types.Plan], error) {
	return run[types.Plan](ctx, c, "verify", options, input{})
}

// Import imports packages into the target, and fuses them with what is there.
//
// Without a result nothing was written. With a result and an error, an [*IncompleteError], a part is not in the
// target; the report says which, and the same call does what is left. Where the context ended after writing had
// begun, that error is also the context's.
func (c *Client) Import(ctx context.Context, options ...Option) (*Result[types.Report], error) {
	return run[types.Report](ctx, c, "import", options, input{})
}

// Apply does what a plan says: the JSON of a result of [Client.Plan]. The target is asked again first, and
// nothing is written where a decision would differ. Options may add logins and how servers are reached; target,
// chart repository and packages are the plan's. Its errors are those of [Client.Import].
func (c *Client) Apply(ctx context.Context, plan json.RawMessage, options ...Option) (*Result[types.Report], error) {
	if plan == nil {
		plan = json.RawMessage("null")
	}
	return run[types.Report](ctx, c, "apply", options, input{Plan: plan})
}

// run makes one call.
func run[T any](ctx context.Context, c *Client, function string, options []Option, in input) (*Result[T], error) {
	settings, err := c.settings.with(options)
	if err != nil {
		return nil, err
	}
	if settings.command != c.settings.command {
		return nil, made(ErrUsage, "WithCommand is an option of New, and not of a call")
	}
	if in.Options, err = document(settings.Options, in); err != nil {
		return nil, err
	}
	c.mutex.Lock()
	if c.closed {
		c.mutex.Unlock()
		return nil, ErrClosed
	}
	c.calls.Add(1)
	c.mutex.Unlock()
	defer c.calls.Done()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.closing, func() { cancel(ErrClosed) })()
	if asks(function) && !writes(function) {
		select {
		case c.looking <- struct{}{}:
			defer func() { <-c.looking }()
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return nil, withContext(ctx, made(ErrCancelled, "the call was cancelled before it began"))
	}
	var progress func(types.Progress)
	if asks(function) {
		progress = settings.progress
	}
	out, err := c.engine.call(ctx, function, in, progress)
	if err == nil {
		err = out.check(function)
	}
	if err != nil {
		return nil, withContext(ctx, err)
	}
	result, err := decoded[T](out)
	if err != nil {
		return nil, err
	}
	if report, ok := any(&result.Value).(*types.Report); ok && !result.Complete {
		return result, incomplete(ctx, report)
	}
	return result, nil
}

// document is what the library reads. What it could not hold is refused here.
func document(options types.Options, in input) (json.RawMessage, error) {
	place := notUTF8("options", reflect.ValueOf(options))
	if !utf8.ValidString(in.Text) {
		place = "clusterConfig.yaml"
	}
	if place != "" {
		return nil, made(ErrUsage, place+": not UTF-8")
	}
	if in.Plan != nil && !json.Valid(in.Plan) {
		return nil, made(ErrUsage, "not a saved plan: it is no JSON")
	}
	return json.Marshal(options)
}
