// Command call makes one call and prints its document, as the command would: call FUNCTION OPTIONS [PLAN]. It
// ends with 0 where the result is complete, and with 1 where it is not, or where there is none.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	multiarch "github.com/multiarch/multiarch/multiarch-ffi/go"
	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: call FUNCTION OPTIONS [PLAN]")
		os.Exit(2)
	}
	var options types.Options
	if err := json.Unmarshal([]byte(os.Args[2]), &options); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	client, err := multiarch.New(multiarch.WithOptions(options))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	defer client.Close()
	ctx := context.Background()
	switch os.Args[1] {
	case "inspect":
		show(client.Inspect(ctx))
	case "status":
		show(client.Status(ctx))
	case "plan":
		show(client.Plan(ctx))
	case "verify":
		show(client.Verify(ctx))
	case "import":
		show(client.Import(ctx))
	case "apply":
		show(client.Apply(ctx, json.RawMessage(os.Args[3])))
	}
}

func show[T any](result *multiarch.Result[T], err error) {
	var own *multiarch.Error
	switch {
	case result != nil:
		fmt.Println(string(result.JSON))
		if !result.Complete {
			os.Exit(1)
		}
	case errors.As(err, &own):
		fmt.Println(string(own.JSON))
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
