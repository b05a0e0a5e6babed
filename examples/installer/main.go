// Command installer shows how an installer brings its packages into the cluster's registry with the Go package:
// cluster-create imports the packages of clusterConfig.yaml, import-addon fuses another architecture into the
// same registry. It needs no staging folder, and after a failure the same command goes on from there.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	multiarch "github.com/multiarch/multiarch/multiarch-ffi/go"
	"github.com/spf13/cobra"
)

// flags are those of the installer's own command line.
type flags struct {
	config   string
	manifest string
	debug    bool
	steps    string
	packages []string
}

func main() {
	// A signal cancels the run, which then still says what it did.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		stop()
		os.Exit(1)
	}
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "installer",
		Short:         "Install the platform from offline packages",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	var given flags
	create := &cobra.Command{
		Use:   "cluster-create",
		Short: "Import the packages that clusterConfig.yaml names",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return install(cmd.Context(), given) },
	}
	create.Flags().StringVarP(&given.manifest, "manifest", "m", "", "list of components")
	create.Flags().StringVarP(&given.steps, "steps", "j", "", "steps to run")
	addon := &cobra.Command{
		Use:   "import-addon",
		Short: "Fuse packages of another architecture into what is installed",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return install(cmd.Context(), given) },
	}
	addon.Flags().StringArrayVar(&given.packages, "addon-path", nil, "package to import")
	_ = addon.MarkFlagRequired("addon-path")
	for _, cmd := range []*cobra.Command{create, addon} {
		cmd.Flags().StringVarP(&given.config, "config", "c", "", "clusterConfig.yaml")
		_ = cmd.MarkFlagRequired("config")
		cmd.Flags().BoolVarP(&given.debug, "debug", "d", false, "say where images and charts go")
		root.AddCommand(cmd)
	}
	return root
}

// install imports packages: those that are named, or else those of the configuration.
func install(ctx context.Context, given flags) error {
	client, err := multiarch.New()
	if err != nil {
		return err
	}
	defer client.Close()

	text, err := os.ReadFile(given.config)
	if err != nil {
		return err
	}
	// Target, chart repository, packages and logins, as the installer's own file has them.
	config, err := client.ReadConfig(text)
	if err != nil {
		return fmt.Errorf("%s: %w", given.config, err)
	}
	if len(given.packages) > 0 {
		config.Packages = given.packages
	}
	if given.debug {
		fmt.Fprintf(os.Stderr, "images go to %s, charts to %v\n", config.Target, config.ChartsTo)
	}
	options := multiarch.WithOptions(*config)

	// What a package holds is remembered, so that a second run need not read all of it again.
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	cache = filepath.Join(cache, "multiarch")
	display := newDisplay(os.Stderr)
	report, err := client.Import(ctx, options, multiarch.WithCache(cache), multiarch.WithProgress(display.show))
	display.end()
	if report != nil {
		for _, chart := range report.Value.Charts {
			if chart.Chart != "" {
				fmt.Printf("%-40s %v\n", chart.Chart, chart.AllImagesFor)
			}
		}
		fmt.Printf("%d tags written, %s sent\n", report.Value.TagsWritten, size(report.Value.BytesSent))
	}
	return explain(err)
}

// explain adds what to do next.
func explain(err error) error {
	var incomplete *multiarch.IncompleteError
	if errors.As(err, &incomplete) {
		for _, one := range incomplete.Errors {
			fmt.Fprintln(os.Stderr, one.Message)
		}
	}
	switch {
	case errors.Is(err, multiarch.ErrUnauthorized), errors.Is(err, multiarch.ErrDenied):
		return fmt.Errorf("%w\nCheck the login in clusterConfig.yaml, and that its project exists", err)
	case errors.Is(err, multiarch.ErrUntrusted):
		return fmt.Errorf("%w\nAdd the registry's CA to the system's certificates", err)
	case errors.Is(err, multiarch.ErrNetwork), errors.Is(err, multiarch.ErrUnreachable):
		return fmt.Errorf("%w\nCheck that the registry is running, and run the same command again", err)
	}
	return err
}
