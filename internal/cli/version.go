package cli

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/popup-shop/popup/internal/printer"
)

// release is the version that the Makefile gives the program.
var release string

// version returns the version of the program.
func version() string {
	info, _ := debug.ReadBuildInfo()
	return versionOf(release, info)
}

// versionOf returns the version that the program was given or that its module has, or the commit that it was built from, or development
// where none is known. info may be nil.
func versionOf(release string, info *debug.BuildInfo) string {
	if release != "" || info == nil {
		return cmp.Or(release, "development")
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value[:min(len(setting.Value), 12)]
		}
	}
	return "development"
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(out *printer.Printer) error {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	value := map[string]string{"version": version(), "go": runtime.Version(), "platform": platform}
	return out.Done(value, "popup %s %s %s", version(), runtime.Version(), platform)
}

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"The shell: ${enum}."`
}

// scripts have a shell ask the program, whose path is the verb, for what can follow.
var scripts = map[string]string{
	"bash": "complete -o default -C %[1]q popup\n",
	"zsh":  "autoload -U +X bashcompinit && bashcompinit\ncomplete -o default -C %[1]q popup\n",
	"fish": `function __complete_popup
    set -lx COMP_LINE (commandline -cp)
    test -z (commandline -ct)
    and set COMP_LINE "$COMP_LINE "
    %[1]q
end
complete -f -c popup -a "(__complete_popup)"
`,
}

// Run prints the script.
func (c completionCommand) Run() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	_, err = fmt.Printf(scripts[c.Shell], self)
	return err
}
