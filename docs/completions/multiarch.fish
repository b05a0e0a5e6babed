# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_multiarch_global_optspecs
    string join \n h/help V/version
end

function __fish_multiarch_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_multiarch_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_multiarch_using_subcommand
    set -l cmd (__fish_multiarch_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c multiarch -n "__fish_multiarch_needs_command" -s h -l help -d 'Print help'
complete -c multiarch -n "__fish_multiarch_needs_command" -s V -l version -d 'Print version'
complete -c multiarch -n "__fish_multiarch_needs_command" -f -a "import" -d 'Import packages into a target, fusing them with the images that it already has'
complete -c multiarch -n "__fish_multiarch_needs_command" -f -a "import-addon" -d 'Fuse packages into an earlier import, with the installer\'s own command line'
complete -c multiarch -n "__fish_multiarch_needs_command" -f -a "cluster-create" -d 'Import the packages that clusterConfig.yaml names, with the installer\'s own command line; nothing else of a cluster is created'
complete -c multiarch -n "__fish_multiarch_needs_command" -f -a "import-artifact" -d 'Import the images of the installer\'s base package, with the installer\'s own command line; its files and its packages of the operating system stay where they are'
complete -c multiarch -n "__fish_multiarch_needs_command" -f -a "check" -d 'Check what an import needs, without writing anything: servers and logins, projects, rights, quota, space'
complete -c multiarch -n "__fish_multiarch_needs_command" -f -a "plan" -d 'Show what an import would do, without writing anything'
complete -c multiarch -n "__fish_multiarch_needs_command" -f -a "apply" -d 'Apply a saved plan, if a new plan would still be the same'
complete -c multiarch -n "__fish_multiarch_needs_command" -f -a "doctor" -d 'Look for what is wrong with a target: lost images and layers, collapsed tags, images that no node can run, charts that name what is not there'
complete -c multiarch -n "__fish_multiarch_needs_command" -f -a "rollback" -d 'Put the tags back that an import has written, as the snapshot says that it kept before'
complete -c multiarch -n "__fish_multiarch_needs_command" -f -a "inspect" -d 'Show what packages contain'
complete -c multiarch -n "__fish_multiarch_needs_command" -f -a "status" -d 'Show which architectures each image and each chart has in a target'
complete -c multiarch -n "__fish_multiarch_needs_command" -f -a "call" -d 'Call a function of the C library, for programs that run this command instead of linking it: standard input is a JSON object with the documents `options`, `plan` (for apply) and `text` (for config), standard output the result, or an error'
complete -c multiarch -n "__fish_multiarch_needs_command" -f -a "generate" -d 'Write manual pages, or completions for a shell'
complete -c multiarch -n "__fish_multiarch_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l to -d 'Where images go: docker://HOST:PORT/PATH (port, path and docker:// may be left out; https:// and http:// are understood), or oci:DIR, an OCI layout directory, which is created if it is missing' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l charts-to -d 'Where charts go: oci://HOST/PATH, http(s)://HOST/PATH (ChartMuseum or Harbor, detected), or dir:DIR; by default charts are not uploaded. Where each folder of a package has a chart repository of its own, an address with {folder} in it, or FOLDER=REPO several times' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -s c -l config -d 'The installer\'s clusterConfig.yaml, for credentials, and for packages, target and chart repository that are not given here' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l ca -d 'Also trust these certificates, in PEM' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l insecure -d 'Do not verify this host\'s certificate, and allow plain HTTP' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l client-cert -d 'Show this certificate, in PEM, to the target and the chart repository where they ask for one' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l client-key -d 'The key of that certificate, in PEM, if the file with the certificate does not hold it' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l authfile -d 'Take logins from this file only, in the form of docker\'s config.json; by default those of podman and docker are used' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l limit-rate -d 'Send at most N bytes of blobs a second, over all connections; with k, M or G, N thousand, million or milliard' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l jobs -d 'At most N requests at once to one server, by default 16; fewer if the server refuses that many' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l names -d 'How the names of images are derived from their original names' -r -f -a "registry\t'quay.io/a/b becomes HOST/a/b'
repository\t'quay.io/a/b becomes HOST/PATH/b'
prefix-repository\t'quay.io/a/b becomes HOST/PATH/a/b'
prefix-registry\t'quay.io/a/b becomes HOST/quay.io/a/b'
append-origin\t'Like prefix-registry, but only the charts\' registry values change'"
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l repository -d 'The path for --names repository and prefix-repository' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l registry -d 'The registry that charts name, if the cluster does not pull by the target\'s own address' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l helm -d 'The helm for --render, by default the one in the PATH' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l name -d 'The name of images that their file does not name, such as those of `docker save ID`; FILE=REF where there are several such files' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l charts -d 'Only charts whose name, or name-version, fits a glob; with ! in front, all but those. May be given several times, or with commas between' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l images -d 'Only images whose reference fits, with or without its registry and its tag' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l platforms -d 'Only these platforms, such as linux/arm64' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l folders -d 'Only charts in folders of the package that fit' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l select -d 'A file with the same lists, in YAML: charts, images, platforms, folders' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l on-conflict -d 'What to do if a tag already has another image for an incoming platform' -r -f -a "incoming\t'The incoming image replaces it, for that platform only'
existing\t'The existing image stays'
fail\t'The tag stays as it is, and the run fails'"
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l index -d 'When to write a single image as an index of one' -r -f -a "when-needed\t'Only when there are two platforms or more'
always\t'Always'"
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l color -d 'Whether states and errors are coloured; by default on a terminal, unless NO_COLOR is set' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l progress -d 'How progress is shown on standard error' -r -f -a "auto\t'A bar on a terminal, lines otherwise'
lines\t'A line every ten seconds'
json\t'A line with a JSON object every second'
none\t'No progress, as with --quiet'"
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l snapshot -d 'Where to keep what the tags held before, for `multiarch rollback`; by default in the user\'s state folder, where the last 20 are kept' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l overwrite-charts -d 'Replace charts of the same name and version in the chart repository'
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l rewrite-unhinted -d 'Also relocate values that name an image of the package although no hint says so'
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l images-of-blocked-charts -d 'Import the images of a chart that cannot be relocated, too, under the names of the mode'
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l render -d 'Render each relocated chart with helm and its default values, and leave it out where it names an image that is not in the target'
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l verify -d 'Ask for every layer of the images that the target lists already, and send what is missing'
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l keep-children-tagged -d 'Give each image of an index a tag of its own, for a registry whose garbage collection deletes manifests without a tag'
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l create-projects -d 'Create the projects that the images need and the registry does not have (Harbor)'
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l public-projects -d 'Let everyone pull from the projects that are created; by default only their members may'
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l anyway -d 'Begin also where a quota, a disk or a read-only mode stands in the way'
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l json -d 'Print JSON'
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -s q -l quiet -d 'Show no progress'
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -s v -l verbose -d 'List everything, also what stays as it is'
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l no-cache -d 'Do not keep an index of the packages for the next run'
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l no-snapshot -d 'Keep no snapshot'
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -l strict -d 'Fail on findings, such as an image of another architecture than its package declares'
complete -c multiarch -n "__fish_multiarch_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l addon-path -d 'A package to fuse into an earlier import; may be given several times' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l to -d 'Where images go: docker://HOST:PORT/PATH (port, path and docker:// may be left out; https:// and http:// are understood), or oci:DIR, an OCI layout directory, which is created if it is missing' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l charts-to -d 'Where charts go: oci://HOST/PATH, http(s)://HOST/PATH (ChartMuseum or Harbor, detected), or dir:DIR; by default charts are not uploaded. Where each folder of a package has a chart repository of its own, an address with {folder} in it, or FOLDER=REPO several times' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -s c -l config -d 'The installer\'s clusterConfig.yaml, for credentials, and for packages, target and chart repository that are not given here' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l ca -d 'Also trust these certificates, in PEM' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l insecure -d 'Do not verify this host\'s certificate, and allow plain HTTP' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l client-cert -d 'Show this certificate, in PEM, to the target and the chart repository where they ask for one' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l client-key -d 'The key of that certificate, in PEM, if the file with the certificate does not hold it' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l authfile -d 'Take logins from this file only, in the form of docker\'s config.json; by default those of podman and docker are used' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l limit-rate -d 'Send at most N bytes of blobs a second, over all connections; with k, M or G, N thousand, million or milliard' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l jobs -d 'At most N requests at once to one server, by default 16; fewer if the server refuses that many' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l names -d 'How the names of images are derived from their original names' -r -f -a "registry\t'quay.io/a/b becomes HOST/a/b'
repository\t'quay.io/a/b becomes HOST/PATH/b'
prefix-repository\t'quay.io/a/b becomes HOST/PATH/a/b'
prefix-registry\t'quay.io/a/b becomes HOST/quay.io/a/b'
append-origin\t'Like prefix-registry, but only the charts\' registry values change'"
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l repository -d 'The path for --names repository and prefix-repository' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l registry -d 'The registry that charts name, if the cluster does not pull by the target\'s own address' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l helm -d 'The helm for --render, by default the one in the PATH' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l name -d 'The name of images that their file does not name, such as those of `docker save ID`; FILE=REF where there are several such files' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l charts -d 'Only charts whose name, or name-version, fits a glob; with ! in front, all but those. May be given several times, or with commas between' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l images -d 'Only images whose reference fits, with or without its registry and its tag' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l platforms -d 'Only these platforms, such as linux/arm64' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l folders -d 'Only charts in folders of the package that fit' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l select -d 'A file with the same lists, in YAML: charts, images, platforms, folders' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l on-conflict -d 'What to do if a tag already has another image for an incoming platform' -r -f -a "incoming\t'The incoming image replaces it, for that platform only'
existing\t'The existing image stays'
fail\t'The tag stays as it is, and the run fails'"
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l index -d 'When to write a single image as an index of one' -r -f -a "when-needed\t'Only when there are two platforms or more'
always\t'Always'"
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l color -d 'Whether states and errors are coloured; by default on a terminal, unless NO_COLOR is set' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l progress -d 'How progress is shown on standard error' -r -f -a "auto\t'A bar on a terminal, lines otherwise'
lines\t'A line every ten seconds'
json\t'A line with a JSON object every second'
none\t'No progress, as with --quiet'"
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l snapshot -d 'Where to keep what the tags held before, for `multiarch rollback`; by default in the user\'s state folder, where the last 20 are kept' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -s m -l manifest -d 'The installer\'s list of components; no effect' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -s j -d 'The installer\'s steps; no effect' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l overwrite-charts -d 'Replace charts of the same name and version in the chart repository'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l rewrite-unhinted -d 'Also relocate values that name an image of the package although no hint says so'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l images-of-blocked-charts -d 'Import the images of a chart that cannot be relocated, too, under the names of the mode'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l render -d 'Render each relocated chart with helm and its default values, and leave it out where it names an image that is not in the target'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l verify -d 'Ask for every layer of the images that the target lists already, and send what is missing'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l keep-children-tagged -d 'Give each image of an index a tag of its own, for a registry whose garbage collection deletes manifests without a tag'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l create-projects -d 'Create the projects that the images need and the registry does not have (Harbor)'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l public-projects -d 'Let everyone pull from the projects that are created; by default only their members may'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l anyway -d 'Begin also where a quota, a disk or a read-only mode stands in the way'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l json -d 'Print JSON'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -s q -l quiet -d 'Show no progress'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -s v -l verbose -d 'List everything, also what stays as it is'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l no-cache -d 'Do not keep an index of the packages for the next run'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l no-snapshot -d 'Keep no snapshot'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -s d -l debug -d 'Print where images and charts go'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -l multi-arch -d 'Always on; no effect'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-addon" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l to -d 'Where images go: docker://HOST:PORT/PATH (port, path and docker:// may be left out; https:// and http:// are understood), or oci:DIR, an OCI layout directory, which is created if it is missing' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l charts-to -d 'Where charts go: oci://HOST/PATH, http(s)://HOST/PATH (ChartMuseum or Harbor, detected), or dir:DIR; by default charts are not uploaded. Where each folder of a package has a chart repository of its own, an address with {folder} in it, or FOLDER=REPO several times' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -s c -l config -d 'The installer\'s clusterConfig.yaml, for credentials, and for packages, target and chart repository that are not given here' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l ca -d 'Also trust these certificates, in PEM' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l insecure -d 'Do not verify this host\'s certificate, and allow plain HTTP' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l client-cert -d 'Show this certificate, in PEM, to the target and the chart repository where they ask for one' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l client-key -d 'The key of that certificate, in PEM, if the file with the certificate does not hold it' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l authfile -d 'Take logins from this file only, in the form of docker\'s config.json; by default those of podman and docker are used' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l limit-rate -d 'Send at most N bytes of blobs a second, over all connections; with k, M or G, N thousand, million or milliard' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l jobs -d 'At most N requests at once to one server, by default 16; fewer if the server refuses that many' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l names -d 'How the names of images are derived from their original names' -r -f -a "registry\t'quay.io/a/b becomes HOST/a/b'
repository\t'quay.io/a/b becomes HOST/PATH/b'
prefix-repository\t'quay.io/a/b becomes HOST/PATH/a/b'
prefix-registry\t'quay.io/a/b becomes HOST/quay.io/a/b'
append-origin\t'Like prefix-registry, but only the charts\' registry values change'"
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l repository -d 'The path for --names repository and prefix-repository' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l registry -d 'The registry that charts name, if the cluster does not pull by the target\'s own address' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l helm -d 'The helm for --render, by default the one in the PATH' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l name -d 'The name of images that their file does not name, such as those of `docker save ID`; FILE=REF where there are several such files' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l charts -d 'Only charts whose name, or name-version, fits a glob; with ! in front, all but those. May be given several times, or with commas between' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l images -d 'Only images whose reference fits, with or without its registry and its tag' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l platforms -d 'Only these platforms, such as linux/arm64' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l folders -d 'Only charts in folders of the package that fit' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l select -d 'A file with the same lists, in YAML: charts, images, platforms, folders' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l on-conflict -d 'What to do if a tag already has another image for an incoming platform' -r -f -a "incoming\t'The incoming image replaces it, for that platform only'
existing\t'The existing image stays'
fail\t'The tag stays as it is, and the run fails'"
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l index -d 'When to write a single image as an index of one' -r -f -a "when-needed\t'Only when there are two platforms or more'
always\t'Always'"
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l color -d 'Whether states and errors are coloured; by default on a terminal, unless NO_COLOR is set' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l progress -d 'How progress is shown on standard error' -r -f -a "auto\t'A bar on a terminal, lines otherwise'
lines\t'A line every ten seconds'
json\t'A line with a JSON object every second'
none\t'No progress, as with --quiet'"
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l snapshot -d 'Where to keep what the tags held before, for `multiarch rollback`; by default in the user\'s state folder, where the last 20 are kept' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -s m -l manifest -d 'The installer\'s list of components; no effect' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -s j -d 'The installer\'s steps; no effect' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l overwrite-charts -d 'Replace charts of the same name and version in the chart repository'
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l rewrite-unhinted -d 'Also relocate values that name an image of the package although no hint says so'
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l images-of-blocked-charts -d 'Import the images of a chart that cannot be relocated, too, under the names of the mode'
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l render -d 'Render each relocated chart with helm and its default values, and leave it out where it names an image that is not in the target'
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l verify -d 'Ask for every layer of the images that the target lists already, and send what is missing'
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l keep-children-tagged -d 'Give each image of an index a tag of its own, for a registry whose garbage collection deletes manifests without a tag'
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l create-projects -d 'Create the projects that the images need and the registry does not have (Harbor)'
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l public-projects -d 'Let everyone pull from the projects that are created; by default only their members may'
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l anyway -d 'Begin also where a quota, a disk or a read-only mode stands in the way'
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l json -d 'Print JSON'
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -s q -l quiet -d 'Show no progress'
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -s v -l verbose -d 'List everything, also what stays as it is'
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l no-cache -d 'Do not keep an index of the packages for the next run'
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l no-snapshot -d 'Keep no snapshot'
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -s d -l debug -d 'Print where images and charts go'
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -l multi-arch -d 'Always on; no effect'
complete -c multiarch -n "__fish_multiarch_using_subcommand cluster-create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l offline-path -d 'A base package whose images are imported: its file, or the folder that it was unpacked to; may be given several times' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l iso-path -d 'An image of the operating system\'s installation disk; no effect' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l os-pkgs-path -d 'Packages of the operating system; no effect' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l to -d 'Where images go: docker://HOST:PORT/PATH (port, path and docker:// may be left out; https:// and http:// are understood), or oci:DIR, an OCI layout directory, which is created if it is missing' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l charts-to -d 'Where charts go: oci://HOST/PATH, http(s)://HOST/PATH (ChartMuseum or Harbor, detected), or dir:DIR; by default charts are not uploaded. Where each folder of a package has a chart repository of its own, an address with {folder} in it, or FOLDER=REPO several times' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -s c -l config -d 'The installer\'s clusterConfig.yaml, for credentials, and for packages, target and chart repository that are not given here' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l ca -d 'Also trust these certificates, in PEM' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l insecure -d 'Do not verify this host\'s certificate, and allow plain HTTP' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l client-cert -d 'Show this certificate, in PEM, to the target and the chart repository where they ask for one' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l client-key -d 'The key of that certificate, in PEM, if the file with the certificate does not hold it' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l authfile -d 'Take logins from this file only, in the form of docker\'s config.json; by default those of podman and docker are used' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l limit-rate -d 'Send at most N bytes of blobs a second, over all connections; with k, M or G, N thousand, million or milliard' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l jobs -d 'At most N requests at once to one server, by default 16; fewer if the server refuses that many' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l names -d 'How the names of images are derived from their original names' -r -f -a "registry\t'quay.io/a/b becomes HOST/a/b'
repository\t'quay.io/a/b becomes HOST/PATH/b'
prefix-repository\t'quay.io/a/b becomes HOST/PATH/a/b'
prefix-registry\t'quay.io/a/b becomes HOST/quay.io/a/b'
append-origin\t'Like prefix-registry, but only the charts\' registry values change'"
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l repository -d 'The path for --names repository and prefix-repository' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l registry -d 'The registry that charts name, if the cluster does not pull by the target\'s own address' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l helm -d 'The helm for --render, by default the one in the PATH' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l name -d 'The name of images that their file does not name, such as those of `docker save ID`; FILE=REF where there are several such files' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l charts -d 'Only charts whose name, or name-version, fits a glob; with ! in front, all but those. May be given several times, or with commas between' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l images -d 'Only images whose reference fits, with or without its registry and its tag' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l platforms -d 'Only these platforms, such as linux/arm64' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l folders -d 'Only charts in folders of the package that fit' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l select -d 'A file with the same lists, in YAML: charts, images, platforms, folders' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l on-conflict -d 'What to do if a tag already has another image for an incoming platform' -r -f -a "incoming\t'The incoming image replaces it, for that platform only'
existing\t'The existing image stays'
fail\t'The tag stays as it is, and the run fails'"
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l index -d 'When to write a single image as an index of one' -r -f -a "when-needed\t'Only when there are two platforms or more'
always\t'Always'"
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l color -d 'Whether states and errors are coloured; by default on a terminal, unless NO_COLOR is set' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l progress -d 'How progress is shown on standard error' -r -f -a "auto\t'A bar on a terminal, lines otherwise'
lines\t'A line every ten seconds'
json\t'A line with a JSON object every second'
none\t'No progress, as with --quiet'"
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l snapshot -d 'Where to keep what the tags held before, for `multiarch rollback`; by default in the user\'s state folder, where the last 20 are kept' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -s m -l manifest -d 'The installer\'s list of components; no effect' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -s j -d 'The installer\'s steps; no effect' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l overwrite-charts -d 'Replace charts of the same name and version in the chart repository'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l rewrite-unhinted -d 'Also relocate values that name an image of the package although no hint says so'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l images-of-blocked-charts -d 'Import the images of a chart that cannot be relocated, too, under the names of the mode'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l render -d 'Render each relocated chart with helm and its default values, and leave it out where it names an image that is not in the target'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l verify -d 'Ask for every layer of the images that the target lists already, and send what is missing'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l keep-children-tagged -d 'Give each image of an index a tag of its own, for a registry whose garbage collection deletes manifests without a tag'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l create-projects -d 'Create the projects that the images need and the registry does not have (Harbor)'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l public-projects -d 'Let everyone pull from the projects that are created; by default only their members may'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l anyway -d 'Begin also where a quota, a disk or a read-only mode stands in the way'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l json -d 'Print JSON'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -s q -l quiet -d 'Show no progress'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -s v -l verbose -d 'List everything, also what stays as it is'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l no-cache -d 'Do not keep an index of the packages for the next run'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l no-snapshot -d 'Keep no snapshot'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -s d -l debug -d 'Print where images and charts go'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -l multi-arch -d 'Always on; no effect'
complete -c multiarch -n "__fish_multiarch_using_subcommand import-artifact" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l to -d 'Where images go: docker://HOST:PORT/PATH (port, path and docker:// may be left out; https:// and http:// are understood), or oci:DIR, an OCI layout directory, which is created if it is missing' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l charts-to -d 'Where charts go: oci://HOST/PATH, http(s)://HOST/PATH (ChartMuseum or Harbor, detected), or dir:DIR; by default charts are not uploaded. Where each folder of a package has a chart repository of its own, an address with {folder} in it, or FOLDER=REPO several times' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -s c -l config -d 'The installer\'s clusterConfig.yaml, for credentials, and for packages, target and chart repository that are not given here' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l ca -d 'Also trust these certificates, in PEM' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l insecure -d 'Do not verify this host\'s certificate, and allow plain HTTP' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l client-cert -d 'Show this certificate, in PEM, to the target and the chart repository where they ask for one' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l client-key -d 'The key of that certificate, in PEM, if the file with the certificate does not hold it' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l authfile -d 'Take logins from this file only, in the form of docker\'s config.json; by default those of podman and docker are used' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l limit-rate -d 'Send at most N bytes of blobs a second, over all connections; with k, M or G, N thousand, million or milliard' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l jobs -d 'At most N requests at once to one server, by default 16; fewer if the server refuses that many' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l names -d 'How the names of images are derived from their original names' -r -f -a "registry\t'quay.io/a/b becomes HOST/a/b'
repository\t'quay.io/a/b becomes HOST/PATH/b'
prefix-repository\t'quay.io/a/b becomes HOST/PATH/a/b'
prefix-registry\t'quay.io/a/b becomes HOST/quay.io/a/b'
append-origin\t'Like prefix-registry, but only the charts\' registry values change'"
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l repository -d 'The path for --names repository and prefix-repository' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l registry -d 'The registry that charts name, if the cluster does not pull by the target\'s own address' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l helm -d 'The helm for --render, by default the one in the PATH' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l name -d 'The name of images that their file does not name, such as those of `docker save ID`; FILE=REF where there are several such files' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l charts -d 'Only charts whose name, or name-version, fits a glob; with ! in front, all but those. May be given several times, or with commas between' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l images -d 'Only images whose reference fits, with or without its registry and its tag' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l platforms -d 'Only these platforms, such as linux/arm64' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l folders -d 'Only charts in folders of the package that fit' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l select -d 'A file with the same lists, in YAML: charts, images, platforms, folders' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l on-conflict -d 'What to do if a tag already has another image for an incoming platform' -r -f -a "incoming\t'The incoming image replaces it, for that platform only'
existing\t'The existing image stays'
fail\t'The tag stays as it is, and the run fails'"
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l index -d 'When to write a single image as an index of one' -r -f -a "when-needed\t'Only when there are two platforms or more'
always\t'Always'"
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l color -d 'Whether states and errors are coloured; by default on a terminal, unless NO_COLOR is set' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l progress -d 'How progress is shown on standard error' -r -f -a "auto\t'A bar on a terminal, lines otherwise'
lines\t'A line every ten seconds'
json\t'A line with a JSON object every second'
none\t'No progress, as with --quiet'"
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l overwrite-charts -d 'Replace charts of the same name and version in the chart repository'
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l rewrite-unhinted -d 'Also relocate values that name an image of the package although no hint says so'
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l images-of-blocked-charts -d 'Import the images of a chart that cannot be relocated, too, under the names of the mode'
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l render -d 'Render each relocated chart with helm and its default values, and leave it out where it names an image that is not in the target'
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l verify -d 'Ask for every layer of the images that the target lists already, and send what is missing'
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l keep-children-tagged -d 'Give each image of an index a tag of its own, for a registry whose garbage collection deletes manifests without a tag'
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l create-projects -d 'Create the projects that the images need and the registry does not have (Harbor)'
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l public-projects -d 'Let everyone pull from the projects that are created; by default only their members may'
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l anyway -d 'Begin also where a quota, a disk or a read-only mode stands in the way'
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l json -d 'Print JSON'
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -s q -l quiet -d 'Show no progress'
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -s v -l verbose -d 'List everything, also what stays as it is'
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -l no-cache -d 'Do not keep an index of the packages for the next run'
complete -c multiarch -n "__fish_multiarch_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l to -d 'Where images go: docker://HOST:PORT/PATH (port, path and docker:// may be left out; https:// and http:// are understood), or oci:DIR, an OCI layout directory, which is created if it is missing' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l charts-to -d 'Where charts go: oci://HOST/PATH, http(s)://HOST/PATH (ChartMuseum or Harbor, detected), or dir:DIR; by default charts are not uploaded. Where each folder of a package has a chart repository of its own, an address with {folder} in it, or FOLDER=REPO several times' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -s c -l config -d 'The installer\'s clusterConfig.yaml, for credentials, and for packages, target and chart repository that are not given here' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l ca -d 'Also trust these certificates, in PEM' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l insecure -d 'Do not verify this host\'s certificate, and allow plain HTTP' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l client-cert -d 'Show this certificate, in PEM, to the target and the chart repository where they ask for one' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l client-key -d 'The key of that certificate, in PEM, if the file with the certificate does not hold it' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l authfile -d 'Take logins from this file only, in the form of docker\'s config.json; by default those of podman and docker are used' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l limit-rate -d 'Send at most N bytes of blobs a second, over all connections; with k, M or G, N thousand, million or milliard' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l jobs -d 'At most N requests at once to one server, by default 16; fewer if the server refuses that many' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l names -d 'How the names of images are derived from their original names' -r -f -a "registry\t'quay.io/a/b becomes HOST/a/b'
repository\t'quay.io/a/b becomes HOST/PATH/b'
prefix-repository\t'quay.io/a/b becomes HOST/PATH/a/b'
prefix-registry\t'quay.io/a/b becomes HOST/quay.io/a/b'
append-origin\t'Like prefix-registry, but only the charts\' registry values change'"
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l repository -d 'The path for --names repository and prefix-repository' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l registry -d 'The registry that charts name, if the cluster does not pull by the target\'s own address' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l helm -d 'The helm for --render, by default the one in the PATH' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l name -d 'The name of images that their file does not name, such as those of `docker save ID`; FILE=REF where there are several such files' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l charts -d 'Only charts whose name, or name-version, fits a glob; with ! in front, all but those. May be given several times, or with commas between' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l images -d 'Only images whose reference fits, with or without its registry and its tag' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l platforms -d 'Only these platforms, such as linux/arm64' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l folders -d 'Only charts in folders of the package that fit' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l select -d 'A file with the same lists, in YAML: charts, images, platforms, folders' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l on-conflict -d 'What to do if a tag already has another image for an incoming platform' -r -f -a "incoming\t'The incoming image replaces it, for that platform only'
existing\t'The existing image stays'
fail\t'The tag stays as it is, and the run fails'"
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l index -d 'When to write a single image as an index of one' -r -f -a "when-needed\t'Only when there are two platforms or more'
always\t'Always'"
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l color -d 'Whether states and errors are coloured; by default on a terminal, unless NO_COLOR is set' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l progress -d 'How progress is shown on standard error' -r -f -a "auto\t'A bar on a terminal, lines otherwise'
lines\t'A line every ten seconds'
json\t'A line with a JSON object every second'
none\t'No progress, as with --quiet'"
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -s o -l output -d 'Save the plan as JSON, for `multiarch apply`' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l overwrite-charts -d 'Replace charts of the same name and version in the chart repository'
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l rewrite-unhinted -d 'Also relocate values that name an image of the package although no hint says so'
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l images-of-blocked-charts -d 'Import the images of a chart that cannot be relocated, too, under the names of the mode'
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l render -d 'Render each relocated chart with helm and its default values, and leave it out where it names an image that is not in the target'
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l verify -d 'Ask for every layer of the images that the target lists already, and send what is missing'
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l keep-children-tagged -d 'Give each image of an index a tag of its own, for a registry whose garbage collection deletes manifests without a tag'
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l create-projects -d 'Create the projects that the images need and the registry does not have (Harbor)'
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l public-projects -d 'Let everyone pull from the projects that are created; by default only their members may'
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l anyway -d 'Begin also where a quota, a disk or a read-only mode stands in the way'
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l json -d 'Print JSON'
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -s q -l quiet -d 'Show no progress'
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -s v -l verbose -d 'List everything, also what stays as it is'
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -l no-cache -d 'Do not keep an index of the packages for the next run'
complete -c multiarch -n "__fish_multiarch_using_subcommand plan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c multiarch -n "__fish_multiarch_using_subcommand apply" -s c -l config -d 'The clusterConfig.yaml that the plan was made with, for its credentials' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand apply" -l ca -d 'Also trust these certificates, in PEM' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand apply" -l insecure -d 'Do not verify this host\'s certificate, and allow plain HTTP' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand apply" -l client-cert -d 'Show this certificate, in PEM, to the target and the chart repository where they ask for one' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand apply" -l client-key -d 'The key of that certificate, in PEM, if the file with the certificate does not hold it' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand apply" -l authfile -d 'Take logins from this file only, in the form of docker\'s config.json; by default those of podman and docker are used' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand apply" -l limit-rate -d 'Send at most N bytes of blobs a second, over all connections; with k, M or G, N thousand, million or milliard' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand apply" -l jobs -d 'At most N requests at once to one server, by default 16; fewer if the server refuses that many' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand apply" -l snapshot -d 'Where to keep what the tags held before, for `multiarch rollback`; by default in the user\'s state folder, where the last 20 are kept' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand apply" -l color -d 'Whether states and errors are coloured; by default on a terminal, unless NO_COLOR is set' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c multiarch -n "__fish_multiarch_using_subcommand apply" -l progress -d 'How progress is shown on standard error' -r -f -a "auto\t'A bar on a terminal, lines otherwise'
lines\t'A line every ten seconds'
json\t'A line with a JSON object every second'
none\t'No progress, as with --quiet'"
complete -c multiarch -n "__fish_multiarch_using_subcommand apply" -l no-snapshot -d 'Keep no snapshot'
complete -c multiarch -n "__fish_multiarch_using_subcommand apply" -l json -d 'Print JSON'
complete -c multiarch -n "__fish_multiarch_using_subcommand apply" -s q -l quiet -d 'Show no progress'
complete -c multiarch -n "__fish_multiarch_using_subcommand apply" -s v -l verbose -d 'List everything, also what stays as it is'
complete -c multiarch -n "__fish_multiarch_using_subcommand apply" -l no-cache -d 'Do not keep an index of the packages for the next run'
complete -c multiarch -n "__fish_multiarch_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l snapshot -d 'Where to keep what the tags held before, for `multiarch rollback`; by default in the user\'s state folder, where the last 20 are kept' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l to -d 'Where images go: docker://HOST:PORT/PATH (port, path and docker:// may be left out; https:// and http:// are understood), or oci:DIR, an OCI layout directory, which is created if it is missing' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l charts-to -d 'Where charts go: oci://HOST/PATH, http(s)://HOST/PATH (ChartMuseum or Harbor, detected), or dir:DIR; by default charts are not uploaded. Where each folder of a package has a chart repository of its own, an address with {folder} in it, or FOLDER=REPO several times' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -s c -l config -d 'The installer\'s clusterConfig.yaml, for credentials, and for packages, target and chart repository that are not given here' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l ca -d 'Also trust these certificates, in PEM' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l insecure -d 'Do not verify this host\'s certificate, and allow plain HTTP' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l client-cert -d 'Show this certificate, in PEM, to the target and the chart repository where they ask for one' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l client-key -d 'The key of that certificate, in PEM, if the file with the certificate does not hold it' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l authfile -d 'Take logins from this file only, in the form of docker\'s config.json; by default those of podman and docker are used' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l limit-rate -d 'Send at most N bytes of blobs a second, over all connections; with k, M or G, N thousand, million or milliard' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l jobs -d 'At most N requests at once to one server, by default 16; fewer if the server refuses that many' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l names -d 'How the names of images are derived from their original names' -r -f -a "registry\t'quay.io/a/b becomes HOST/a/b'
repository\t'quay.io/a/b becomes HOST/PATH/b'
prefix-repository\t'quay.io/a/b becomes HOST/PATH/a/b'
prefix-registry\t'quay.io/a/b becomes HOST/quay.io/a/b'
append-origin\t'Like prefix-registry, but only the charts\' registry values change'"
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l repository -d 'The path for --names repository and prefix-repository' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l registry -d 'The registry that charts name, if the cluster does not pull by the target\'s own address' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l helm -d 'The helm for --render, by default the one in the PATH' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l name -d 'The name of images that their file does not name, such as those of `docker save ID`; FILE=REF where there are several such files' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l charts -d 'Only charts whose name, or name-version, fits a glob; with ! in front, all but those. May be given several times, or with commas between' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l images -d 'Only images whose reference fits, with or without its registry and its tag' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l platforms -d 'Only these platforms, such as linux/arm64' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l folders -d 'Only charts in folders of the package that fit' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l select -d 'A file with the same lists, in YAML: charts, images, platforms, folders' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l on-conflict -d 'What to do if a tag already has another image for an incoming platform' -r -f -a "incoming\t'The incoming image replaces it, for that platform only'
existing\t'The existing image stays'
fail\t'The tag stays as it is, and the run fails'"
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l index -d 'When to write a single image as an index of one' -r -f -a "when-needed\t'Only when there are two platforms or more'
always\t'Always'"
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l color -d 'Whether states and errors are coloured; by default on a terminal, unless NO_COLOR is set' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l progress -d 'How progress is shown on standard error' -r -f -a "auto\t'A bar on a terminal, lines otherwise'
lines\t'A line every ten seconds'
json\t'A line with a JSON object every second'
none\t'No progress, as with --quiet'"
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l repair -d 'Put back what is missing and the packages hold'
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l elf -d 'Look into layers of at most 16 MiB for the architecture of their programs; always done in a directory'
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l strict -d 'Fail on warnings, too'
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l no-snapshot -d 'Keep no snapshot'
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l overwrite-charts -d 'Replace charts of the same name and version in the chart repository'
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l rewrite-unhinted -d 'Also relocate values that name an image of the package although no hint says so'
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l images-of-blocked-charts -d 'Import the images of a chart that cannot be relocated, too, under the names of the mode'
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l render -d 'Render each relocated chart with helm and its default values, and leave it out where it names an image that is not in the target'
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l verify -d 'Ask for every layer of the images that the target lists already, and send what is missing'
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l keep-children-tagged -d 'Give each image of an index a tag of its own, for a registry whose garbage collection deletes manifests without a tag'
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l create-projects -d 'Create the projects that the images need and the registry does not have (Harbor)'
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l public-projects -d 'Let everyone pull from the projects that are created; by default only their members may'
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l anyway -d 'Begin also where a quota, a disk or a read-only mode stands in the way'
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l json -d 'Print JSON'
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -s q -l quiet -d 'Show no progress'
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -s v -l verbose -d 'List everything, also what stays as it is'
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -l no-cache -d 'Do not keep an index of the packages for the next run'
complete -c multiarch -n "__fish_multiarch_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c multiarch -n "__fish_multiarch_using_subcommand rollback" -s c -l config -d 'The clusterConfig.yaml that the import was made with, for its credentials' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand rollback" -l ca -d 'Also trust these certificates, in PEM' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand rollback" -l insecure -d 'Do not verify this host\'s certificate, and allow plain HTTP' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand rollback" -l client-cert -d 'Show this certificate, in PEM, to the target and the chart repository where they ask for one' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand rollback" -l client-key -d 'The key of that certificate, in PEM, if the file with the certificate does not hold it' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand rollback" -l authfile -d 'Take logins from this file only, in the form of docker\'s config.json; by default those of podman and docker are used' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand rollback" -l limit-rate -d 'Send at most N bytes of blobs a second, over all connections; with k, M or G, N thousand, million or milliard' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand rollback" -l jobs -d 'At most N requests at once to one server, by default 16; fewer if the server refuses that many' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand rollback" -l color -d 'Whether states and errors are coloured; by default on a terminal, unless NO_COLOR is set' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c multiarch -n "__fish_multiarch_using_subcommand rollback" -l progress -d 'How progress is shown on standard error' -r -f -a "auto\t'A bar on a terminal, lines otherwise'
lines\t'A line every ten seconds'
json\t'A line with a JSON object every second'
none\t'No progress, as with --quiet'"
complete -c multiarch -n "__fish_multiarch_using_subcommand rollback" -l dry-run -d 'Only show what would be done'
complete -c multiarch -n "__fish_multiarch_using_subcommand rollback" -l even-changed -d 'Also put back tags that another writer has changed since the import'
complete -c multiarch -n "__fish_multiarch_using_subcommand rollback" -l remove-new -d 'Also remove tags that the import has made, where the target removes tags'
complete -c multiarch -n "__fish_multiarch_using_subcommand rollback" -l json -d 'Print JSON'
complete -c multiarch -n "__fish_multiarch_using_subcommand rollback" -s q -l quiet -d 'Show no progress'
complete -c multiarch -n "__fish_multiarch_using_subcommand rollback" -s v -l verbose -d 'List everything, also what stays as it is'
complete -c multiarch -n "__fish_multiarch_using_subcommand rollback" -l no-cache -d 'Do not keep an index of the packages for the next run'
complete -c multiarch -n "__fish_multiarch_using_subcommand rollback" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c multiarch -n "__fish_multiarch_using_subcommand inspect" -l charts -d 'Only charts whose name, or name-version, fits a glob; with ! in front, all but those. May be given several times, or with commas between' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand inspect" -l images -d 'Only images whose reference fits, with or without its registry and its tag' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand inspect" -l platforms -d 'Only these platforms, such as linux/arm64' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand inspect" -l folders -d 'Only charts in folders of the package that fit' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand inspect" -l select -d 'A file with the same lists, in YAML: charts, images, platforms, folders' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand inspect" -l color -d 'Whether states and errors are coloured; by default on a terminal, unless NO_COLOR is set' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c multiarch -n "__fish_multiarch_using_subcommand inspect" -l progress -d 'How progress is shown on standard error' -r -f -a "auto\t'A bar on a terminal, lines otherwise'
lines\t'A line every ten seconds'
json\t'A line with a JSON object every second'
none\t'No progress, as with --quiet'"
complete -c multiarch -n "__fish_multiarch_using_subcommand inspect" -l elf -d 'Look into the layers of every image for the architecture of its programs'
complete -c multiarch -n "__fish_multiarch_using_subcommand inspect" -l json -d 'Print JSON'
complete -c multiarch -n "__fish_multiarch_using_subcommand inspect" -s q -l quiet -d 'Show no progress'
complete -c multiarch -n "__fish_multiarch_using_subcommand inspect" -s v -l verbose -d 'List everything, also what stays as it is'
complete -c multiarch -n "__fish_multiarch_using_subcommand inspect" -l no-cache -d 'Do not keep an index of the packages for the next run'
complete -c multiarch -n "__fish_multiarch_using_subcommand inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l to -d 'Where images go: docker://HOST:PORT/PATH (port, path and docker:// may be left out; https:// and http:// are understood), or oci:DIR, an OCI layout directory, which is created if it is missing' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l charts-to -d 'Where charts go: oci://HOST/PATH, http(s)://HOST/PATH (ChartMuseum or Harbor, detected), or dir:DIR; by default charts are not uploaded. Where each folder of a package has a chart repository of its own, an address with {folder} in it, or FOLDER=REPO several times' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -s c -l config -d 'The installer\'s clusterConfig.yaml, for credentials, and for packages, target and chart repository that are not given here' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l ca -d 'Also trust these certificates, in PEM' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l insecure -d 'Do not verify this host\'s certificate, and allow plain HTTP' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l client-cert -d 'Show this certificate, in PEM, to the target and the chart repository where they ask for one' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l client-key -d 'The key of that certificate, in PEM, if the file with the certificate does not hold it' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l authfile -d 'Take logins from this file only, in the form of docker\'s config.json; by default those of podman and docker are used' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l limit-rate -d 'Send at most N bytes of blobs a second, over all connections; with k, M or G, N thousand, million or milliard' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l jobs -d 'At most N requests at once to one server, by default 16; fewer if the server refuses that many' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l names -d 'How the names of images are derived from their original names' -r -f -a "registry\t'quay.io/a/b becomes HOST/a/b'
repository\t'quay.io/a/b becomes HOST/PATH/b'
prefix-repository\t'quay.io/a/b becomes HOST/PATH/a/b'
prefix-registry\t'quay.io/a/b becomes HOST/quay.io/a/b'
append-origin\t'Like prefix-registry, but only the charts\' registry values change'"
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l repository -d 'The path for --names repository and prefix-repository' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l registry -d 'The registry that charts name, if the cluster does not pull by the target\'s own address' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l helm -d 'The helm for --render, by default the one in the PATH' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l name -d 'The name of images that their file does not name, such as those of `docker save ID`; FILE=REF where there are several such files' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l charts -d 'Only charts whose name, or name-version, fits a glob; with ! in front, all but those. May be given several times, or with commas between' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l images -d 'Only images whose reference fits, with or without its registry and its tag' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l platforms -d 'Only these platforms, such as linux/arm64' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l folders -d 'Only charts in folders of the package that fit' -r
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l select -d 'A file with the same lists, in YAML: charts, images, platforms, folders' -r -F
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l color -d 'Whether states and errors are coloured; by default on a terminal, unless NO_COLOR is set' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l progress -d 'How progress is shown on standard error' -r -f -a "auto\t'A bar on a terminal, lines otherwise'
lines\t'A line every ten seconds'
json\t'A line with a JSON object every second'
none\t'No progress, as with --quiet'"
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l overwrite-charts -d 'Replace charts of the same name and version in the chart repository'
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l rewrite-unhinted -d 'Also relocate values that name an image of the package although no hint says so'
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l images-of-blocked-charts -d 'Import the images of a chart that cannot be relocated, too, under the names of the mode'
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l render -d 'Render each relocated chart with helm and its default values, and leave it out where it names an image that is not in the target'
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l verify -d 'Ask for every layer of the images that the tags list, too'
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l json -d 'Print JSON'
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -s q -l quiet -d 'Show no progress'
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -s v -l verbose -d 'List everything, also what stays as it is'
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -l no-cache -d 'Do not keep an index of the packages for the next run'
complete -c multiarch -n "__fish_multiarch_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c multiarch -n "__fish_multiarch_using_subcommand call" -l progress -d 'How progress is shown on standard error' -r -f -a "auto\t'A bar on a terminal, lines otherwise'
lines\t'A line every ten seconds'
json\t'A line with a JSON object every second'
none\t'No progress, as with --quiet'"
complete -c multiarch -n "__fish_multiarch_using_subcommand call" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c multiarch -n "__fish_multiarch_using_subcommand generate; and not __fish_seen_subcommand_from man bash zsh fish help" -s h -l help -d 'Print help'
complete -c multiarch -n "__fish_multiarch_using_subcommand generate; and not __fish_seen_subcommand_from man bash zsh fish help" -f -a "man" -d 'A manual page for each verb, into a folder'
complete -c multiarch -n "__fish_multiarch_using_subcommand generate; and not __fish_seen_subcommand_from man bash zsh fish help" -f -a "bash" -d 'Completions for bash, to standard output'
complete -c multiarch -n "__fish_multiarch_using_subcommand generate; and not __fish_seen_subcommand_from man bash zsh fish help" -f -a "zsh" -d 'Completions for zsh, to standard output'
complete -c multiarch -n "__fish_multiarch_using_subcommand generate; and not __fish_seen_subcommand_from man bash zsh fish help" -f -a "fish" -d 'Completions for fish, to standard output'
complete -c multiarch -n "__fish_multiarch_using_subcommand generate; and not __fish_seen_subcommand_from man bash zsh fish help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c multiarch -n "__fish_multiarch_using_subcommand generate; and __fish_seen_subcommand_from man" -s h -l help -d 'Print help'
complete -c multiarch -n "__fish_multiarch_using_subcommand generate; and __fish_seen_subcommand_from bash" -s h -l help -d 'Print help'
complete -c multiarch -n "__fish_multiarch_using_subcommand generate; and __fish_seen_subcommand_from zsh" -s h -l help -d 'Print help'
complete -c multiarch -n "__fish_multiarch_using_subcommand generate; and __fish_seen_subcommand_from fish" -s h -l help -d 'Print help'
complete -c multiarch -n "__fish_multiarch_using_subcommand generate; and __fish_seen_subcommand_from help" -f -a "man" -d 'A manual page for each verb, into a folder'
complete -c multiarch -n "__fish_multiarch_using_subcommand generate; and __fish_seen_subcommand_from help" -f -a "bash" -d 'Completions for bash, to standard output'
complete -c multiarch -n "__fish_multiarch_using_subcommand generate; and __fish_seen_subcommand_from help" -f -a "zsh" -d 'Completions for zsh, to standard output'
complete -c multiarch -n "__fish_multiarch_using_subcommand generate; and __fish_seen_subcommand_from help" -f -a "fish" -d 'Completions for fish, to standard output'
complete -c multiarch -n "__fish_multiarch_using_subcommand generate; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c multiarch -n "__fish_multiarch_using_subcommand help; and not __fish_seen_subcommand_from import import-addon cluster-create import-artifact check plan apply doctor rollback inspect status call generate help" -f -a "import" -d 'Import packages into a target, fusing them with the images that it already has'
complete -c multiarch -n "__fish_multiarch_using_subcommand help; and not __fish_seen_subcommand_from import import-addon cluster-create import-artifact check plan apply doctor rollback inspect status call generate help" -f -a "import-addon" -d 'Fuse packages into an earlier import, with the installer\'s own command line'
complete -c multiarch -n "__fish_multiarch_using_subcommand help; and not __fish_seen_subcommand_from import import-addon cluster-create import-artifact check plan apply doctor rollback inspect status call generate help" -f -a "cluster-create" -d 'Import the packages that clusterConfig.yaml names, with the installer\'s own command line; nothing else of a cluster is created'
complete -c multiarch -n "__fish_multiarch_using_subcommand help; and not __fish_seen_subcommand_from import import-addon cluster-create import-artifact check plan apply doctor rollback inspect status call generate help" -f -a "import-artifact" -d 'Import the images of the installer\'s base package, with the installer\'s own command line; its files and its packages of the operating system stay where they are'
complete -c multiarch -n "__fish_multiarch_using_subcommand help; and not __fish_seen_subcommand_from import import-addon cluster-create import-artifact check plan apply doctor rollback inspect status call generate help" -f -a "check" -d 'Check what an import needs, without writing anything: servers and logins, projects, rights, quota, space'
complete -c multiarch -n "__fish_multiarch_using_subcommand help; and not __fish_seen_subcommand_from import import-addon cluster-create import-artifact check plan apply doctor rollback inspect status call generate help" -f -a "plan" -d 'Show what an import would do, without writing anything'
complete -c multiarch -n "__fish_multiarch_using_subcommand help; and not __fish_seen_subcommand_from import import-addon cluster-create import-artifact check plan apply doctor rollback inspect status call generate help" -f -a "apply" -d 'Apply a saved plan, if a new plan would still be the same'
complete -c multiarch -n "__fish_multiarch_using_subcommand help; and not __fish_seen_subcommand_from import import-addon cluster-create import-artifact check plan apply doctor rollback inspect status call generate help" -f -a "doctor" -d 'Look for what is wrong with a target: lost images and layers, collapsed tags, images that no node can run, charts that name what is not there'
complete -c multiarch -n "__fish_multiarch_using_subcommand help; and not __fish_seen_subcommand_from import import-addon cluster-create import-artifact check plan apply doctor rollback inspect status call generate help" -f -a "rollback" -d 'Put the tags back that an import has written, as the snapshot says that it kept before'
complete -c multiarch -n "__fish_multiarch_using_subcommand help; and not __fish_seen_subcommand_from import import-addon cluster-create import-artifact check plan apply doctor rollback inspect status call generate help" -f -a "inspect" -d 'Show what packages contain'
complete -c multiarch -n "__fish_multiarch_using_subcommand help; and not __fish_seen_subcommand_from import import-addon cluster-create import-artifact check plan apply doctor rollback inspect status call generate help" -f -a "status" -d 'Show which architectures each image and each chart has in a target'
complete -c multiarch -n "__fish_multiarch_using_subcommand help; and not __fish_seen_subcommand_from import import-addon cluster-create import-artifact check plan apply doctor rollback inspect status call generate help" -f -a "call" -d 'Call a function of the C library, for programs that run this command instead of linking it: standard input is a JSON object with the documents `options`, `plan` (for apply) and `text` (for config), standard output the result, or an error'
complete -c multiarch -n "__fish_multiarch_using_subcommand help; and not __fish_seen_subcommand_from import import-addon cluster-create import-artifact check plan apply doctor rollback inspect status call generate help" -f -a "generate" -d 'Write manual pages, or completions for a shell'
complete -c multiarch -n "__fish_multiarch_using_subcommand help; and not __fish_seen_subcommand_from import import-addon cluster-create import-artifact check plan apply doctor rollback inspect status call generate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c multiarch -n "__fish_multiarch_using_subcommand help; and __fish_seen_subcommand_from generate" -f -a "man" -d 'A manual page for each verb, into a folder'
complete -c multiarch -n "__fish_multiarch_using_subcommand help; and __fish_seen_subcommand_from generate" -f -a "bash" -d 'Completions for bash, to standard output'
complete -c multiarch -n "__fish_multiarch_using_subcommand help; and __fish_seen_subcommand_from generate" -f -a "zsh" -d 'Completions for zsh, to standard output'
complete -c multiarch -n "__fish_multiarch_using_subcommand help; and __fish_seen_subcommand_from generate" -f -a "fish" -d 'Completions for fish, to standard output'
