using System.CommandLine;
using System.CommandLine.Parsing;
using LoRA2.Native.Cli.Commands;
using LoRA2.Native.Cli.Distribution;
using LoRA2.Native.Cli.Text;
using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Parquet;
using LoRA2.Native.Tensors;
using LoRA2.Native.Training;

namespace LoRA2.Native.Cli;

/// <summary>The <c>lora2</c> command: parses, runs, and turns what went wrong into one sentence and an exit code.</summary>
internal static class LoRA2Command
{
    /// <summary>The commands, in the order of the help.</summary>
    internal static readonly (string Name, Func<StandardStreams, Command> Create)[] Commands =
    [
        ("finetune", FinetuneCommand.Create),
        ("pretrain", PretrainCommand.Create),
        ("compare", CompareCommand.Create),
        ("reproduce", ReproduceCommand.Create),
        ("evaluate", EvaluateCommand.Create),
        ("predict", PredictCommand.Create),
        ("embed", EmbedCommand.Create),
        ("serve", ServeCommand.Create),
        ("merge", MergeCommand.Create),
        ("export", ExportCommand.Create),
        ("import", ImportCommand.Create),
        ("inspect", InspectCommand.Create),
        ("tokenize", TokenizeCommand.Create),
        ("trace", TraceCommand.Create),
    ];

    /// <summary>Runs one command line.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static int Run(string[] args, StandardStreams streams)
    {
        if (streams.Launch is not { Rank: > 0 }) return Execute(args, streams);
        // What each of several processes would say, the first says: it is to have done so when the launcher hears that another failed, and kills it.
        streams.Silence();
        int code = Execute(args, streams);
        if (code == ExitCode.Done) return code;
        Thread.Sleep(ProcessGroup.PatienceBeforeJoining);
        // It did not fail, or this process would be no more: what is wrong is so here alone.
        streams.SayKept();
        return code;
    }

    private static int Execute(string[] args, StandardStreams streams)
    {
        ParquetFormat.Register();
        var debug = new Option<bool>("--debug") { Description = "show a stack trace when the command fails", Recursive = true };
        RootCommand root = Root(args, streams);
        root.Options.Add(debug);
        ParseResult parsed = root.Parse(args);
        if (parsed.Errors.Count > 0) return Refuse(parsed, streams);
        try
        {
            var configuration = new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                // finetune and compare end by themselves, after their step: they listen to the signals themselves.
                ProcessTerminationTimeout = null,
                Output = streams.Output,
                Error = streams.Error,
            };
            Compute.RequireEnvironment();
            ProcessGroup.RequireShared(parsed.CommandResult.Command.Name, parsed.Action is System.CommandLine.Invocation.SynchronousCommandLineAction { ClearsParseErrors: true } ? null : streams.Launch);
            int code = parsed.Invoke(configuration);
            streams.Group?.Leave();
            return code;
        }
        catch (Exception e)
        {
            int code = CodeOf(e);
            string? trace = parsed.GetValue(debug) ? e.ToString() : null;
            string? note = trace is null && IsBug(e) ? "this is a defect of lora2; --debug shows where it happened" : null;
            streams.Group?.Fail(Sentence.Of(e.Message), code, note, trace);
            streams.Error.WriteLine($"lora2: {Sentence.Of(e.Message)}");
            if (trace is not null) streams.Error.WriteLine(trace);
            if (note is not null) streams.Error.WriteLine($"lora2: {note}");
            return code;
        }
    }

    private static RootCommand Root(string[] args, StandardStreams streams)
    {
        var root = new RootCommand($"Fine-tunes and runs transformer encoders ({string.Join(", ", EncoderFamilies.All.Select(family => family.Title))}) with LoRA2, on the CPU or an NVIDIA GPU, without Python.");
        // A command's options name methods, tasks and tables: making all of them takes a tenth of a short run.
        (string Name, Func<StandardStreams, Command> Create) named = Array.Find(Commands, command => command.Name == args.FirstOrDefault());
        foreach ((_, Func<StandardStreams, Command> create) in named.Create is null ? Commands : [named]) root.Subcommands.Add(create(streams));
        foreach (Option option in root.Subcommands.SelectMany(command => command.Options).Where(option => option.HelpName is "DIR" or "FILE")) option.Validators.Add(RequirePath);
        foreach (Argument argument in root.Subcommands.SelectMany(command => command.Arguments)) argument.Validators.Add(RequirePath);
        HelpWithExamples.Install(root);
        return root;
    }

    private static void RequirePath(SymbolResult result)
    {
        foreach (Token token in result.Tokens)
        {
            if (string.IsNullOrWhiteSpace(token.Value) || token.Value.Contains('\0', StringComparison.Ordinal))
                result.AddError($"{(result is OptionResult option ? $"option {option.Option.Name}" : $"argument {((ArgumentResult)result).Argument.Name}")} is {(token.Value.Length == 0 ? "empty" : "no name")}; the name of a file or folder was expected");
        }
    }

    private static int Refuse(ParseResult parsed, StandardStreams streams)
    {
        // A word that nothing knows comes last, and is what explains the errors before it.
        ParseError error = parsed.Errors[^1];
        Command command = parsed.CommandResult.Command;
        string name = command is RootCommand ? "lora2" : $"lora2 {command.Name}";
        streams.Error.WriteLine($"lora2: {Sentence.Of(error.Message).TrimEnd('.')} ({name} --help shows what can be given)");
        return ExitCode.WrongInput;
    }

    private static int CodeOf(Exception e) => e switch
    {
        OperationCanceledException => ExitCode.Interrupted,
        InputException or FileNotFoundException or DirectoryNotFoundException or CudaMemoryException => ExitCode.WrongInput,
        _ => ExitCode.Failed,
    };

    private static bool IsBug(Exception e) => CodeOf(e) == ExitCode.Failed && e is not (TrainingException or OutOfMemoryException or CudaException or IOException or UnauthorizedAccessException);
}
