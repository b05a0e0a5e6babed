package multiarch

import (
	"errors"
	"slices"

	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
)

// Option is an option of a client or a call. A later one wins over an earlier one.
type Option func(*settings) error

// settings are all options together.
type settings struct {
	types.Options
	progress func(types.Progress)
	command  string
}

// with adds options; what was there before is not touched.
func (s settings) with(options []Option) (settings, error) {
	for _, option := range options {
		if option == nil {
			continue
		}
		if err := option(&s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// WithOptions takes a whole document of options, such as that of [Client.ReadConfig], instead of what was said
// before.
func WithOptions(options types.Options) Option {
	return func(s *settings) error {
		s.Options = options
		return nil
	}
}

// WithPackages names packages: files or directories, in any order, any mix of architectures.
func WithPackages(paths ...string) Option {
	return func(s *settings) error {
		s.Packages = append([]string(nil), paths...)
		return nil
	}
}

// WithTarget says where images go: oci:DIR, docker://host[:port][/path], http(s)://… or host[:port][/path].
func WithTarget(address string) Option {
	return func(s *settings) error {
		s.Target = address
		return nil
	}
}

// WithChartsTo says where charts go: dir:DIR, oci://…, http(s)://…, or FOLDER=ADDRESS for one folder of the
// packages.
func WithChartsTo(addresses ...string) Option {
	return func(s *settings) error {
		s.ChartsTo = append(types.TextList(nil), addresses...)
		return nil
	}
}

// WithCredentials gives the login for images: a user name and password, a token, or [types.Anonymous].
func WithCredentials(login types.Login) Option {
	return func(s *settings) error {
		s.Credentials = &login
		return nil
	}
}

// WithChartCredentials gives the login for charts.
func WithChartCredentials(login types.Login) Option {
	return func(s *settings) error {
		s.ChartCredentials = &login
		return nil
	}
}

// WithCache names a folder for indexes of packages, so that the next call need not read them again.
func WithCache(folder string) Option {
	return func(s *settings) error {
		s.Cache = folder
		return nil
	}
}

// WithReadPrograms makes Inspect look for the architecture of the programs in all images.
func WithReadPrograms() Option {
	return func(s *settings) error {
		s.ReadPrograms = true
		return nil
	}
}

// WithImport sets options of an import, on top of those that were set before.
func WithImport(set func(*types.ImportOptions)) Option {
	return func(s *settings) error {
		if set == nil {
			return errors.New("multiarch: WithImport without a function")
		}
		s.Options.Options = own(s.Options.Options)
		set(&s.Options.Options)
		return nil
	}
}

// own is a copy that shares no list and no pointer with the original, which another call may be reading.
func own(options types.ImportOptions) types.ImportOptions {
	options.ImageNames = slices.Clone(options.ImageNames)
	options.CAFiles = slices.Clone(options.CAFiles)
	options.InsecureHosts = slices.Clone(options.InsecureHosts)
	if options.Names != nil {
		names := *options.Names
		options.Names = &names
	}
	if options.Fuse != nil {
		fuse := *options.Fuse
		options.Fuse = &fuse
	}
	return options
}

// WithProgress has a function called with the progress of each call that opens packages or asks servers: at most
// ten times a second, once at a time for one call, never after it returned. It should be short: a call does not
// return before it. It may make calls, but not close the client. Where it panics, or ends its goroutine, the call
// is cancelled, and does the same to its caller.
func WithProgress(progress func(types.Progress)) Option {
	return func(s *settings) error {
		s.progress = progress
		return nil
	}
}

// WithCommand says which command is called where the C library is not linked, instead of the one beside the
// program or in the PATH. It is an option of [New]; with the C library it has no effect.
func WithCommand(path string) Option {
	return func(s *settings) error {
		s.command = path
		return nil
	}
}
