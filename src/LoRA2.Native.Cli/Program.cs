using LoRA2.Native.Cli;

return LoRA2Command.Run(args, StandardStreams.OfProcess());
