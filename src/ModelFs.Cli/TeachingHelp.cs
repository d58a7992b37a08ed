using System.CommandLine;
using System.CommandLine.Invocation;

namespace ModelFs.Cli;

/// <summary>The usual help, followed by examples and what the exit codes mean.</summary>
/// <param name="usual">Writes the usual help.</param>
internal sealed class TeachingHelp(SynchronousCommandLineAction usual) : SynchronousCommandLineAction
{
    private const string ExitCodes =
        """
        Exit codes:
          0    done
          1    failed; standard error says what, and what to do
          2    the command line or a setting can't be right
          75   changes are still on their way to the store; they are kept
          130  ended by Ctrl-C

        """;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var code = usual.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        if (ExamplesOf(parseResult.CommandResult.Command) is { } examples)
        {
            output.WriteLine(examples);
            output.WriteLine();
        }

        output.Write(ExitCodes);
        return code;
    }

    private static string? ExamplesOf(Command command) => command is RootCommand ? Start : command.Name switch
    {
        "mount" => Mount,
        "unmount" =>
            """
            Examples:
              modelfs unmount /mnt/models
              modelfs unmount --drain-timeout 600 /mnt/models   # a slow line to the store
            """,
        "sync" =>
            """
            Examples:
              modelfs sync                        # every mount
              modelfs sync /mnt/models bert       # one model
              modelfs sync --timeout 30 bert || echo "not in the store yet"
            """,
        "status" =>
            """
            Examples:
              modelfs status
              modelfs status /mnt/models --json | jq '.models[] | select(.state != "ready")'
            """,
        "top" =>
            """
            Examples:
              modelfs top                           # q ends it
              modelfs top /mnt/models --interval 5
              modelfs top --json --count 60 | jq -c '{bytes: .bytesInPerSecond, requests: .storeRequestsPerSecond}'
            """,
        "doctor" =>
            """
            Examples:
              modelfs doctor                        # this machine and its mounts
              modelfs doctor s3://bucket/prefix     # and a store with its cache
              modelfs doctor s3://bucket --json | jq '.findings[] | select(.level != "ok")'
            It ends with 1 when something failed; warnings alone end with 0.
            """,
        "ls" =>
            """
            Examples:
              modelfs ls s3://bucket/prefix
              modelfs ls /srv/models --json | jq -r '.models[].name'
            """,
        "pull" =>
            """
            Examples:
              modelfs pull s3://bucket/prefix bert                  # makes the folder bert
              modelfs pull s3://bucket bert /srv/models/            # makes /srv/models/bert
              modelfs pull /srv/archives default/moodbot bot --force
            The folder appears whole, on the disk and verified, or not at all.
            """,
        "push" =>
            """
            Examples:
              modelfs push trained/model_20170501 s3://bucket       # model_20170501.tar.gz
              modelfs push trained s3://bucket/bert                 # bert.tar.gz
              modelfs push trained s3://bucket/team/                # trained.tar.gz with the prefix team
              modelfs push trained s3://bucket --name default/bert  # default___bert.tar.gz
            A model that the store has is not replaced without --force, and then only if nobody else changes it meanwhile.
            The archive is packed in the folder for temporary files (TMPDIR).
            """,
        "cp" =>
            """
            Examples:
              modelfs cp s3://bucket/bert gs://other                # bert.tar.gz, byte for byte
              modelfs cp /srv/models/bert s3://bucket/bert-2
              modelfs cp 's3://bucket/bert?endpoint=http://ceph:7480' 'mongodb://host/rasa?collection=models'
            An archive is checked to its last byte before it is copied. It passes through the folder for temporary files (TMPDIR).
            """,
        "index" =>
            """
            Examples:
              modelfs index s3://bucket/prefix --all --dry-run
              modelfs index /srv/models bert team/gpt
            """,
        _ => null,
    };

    private const string Start =
        """
        Examples:
          modelfs mount /srv/models /mnt/models               # a folder of NAME.tar.gz files
          modelfs mount s3://bucket/prefix /mnt/models        # AWS's usual credentials
          ls -l /mnt/models; cat /mnt/models/bert/metadata.json
          modelfs status
          modelfs unmount /mnt/models

        """;

    private const string Mount =
        """
        Every option can also be given in -o with underscores (cache_size=10G) and in the environment (MODELFS_CACHE_SIZE=10G);
        the command line wins over -o, and that over the environment. STORE can come from MODELFS_STORE.

        Examples:
          modelfs mount /srv/models /mnt/models
          modelfs mount s3://bucket/prefix /mnt/models --cache-size 50G --read-only
          modelfs mount 's3://bucket?endpoint=https://ceph.example:8443&path-style=true' /mnt/models --ca-file ca.pem
          sudo modelfs mount s3://bucket /mnt/models --allow-other --user nlu
        With the settings of a Rasa NLU server, from its environment or its configuration file:
          BUCKET_NAME=models AWS_REGION=eu-central-1 modelfs mount --storage aws /mnt/models
          modelfs mount --rasa-config config.json            # mounts at its path
        In /etc/fstab:
          s3://bucket/prefix  /mnt/models  fuse.modelfs  _netdev,nofail,allow_other,cache_size=50G  0  0
        """;
}
