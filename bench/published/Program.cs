using LoRA2.Native.Benchmarks;

switch (args)
{
    case ["encode", .. var rest]:
        EncodeCommand.Run(rest);
        return 0;
    case ["peak", .. var rest]:
        PeakCommand.Run(rest);
        return 0;
    default:
        Console.Error.WriteLine("usage: LoRA2.Native.Published encode|peak …");
        return 2;
}
