// Writes a safetensors file, reads it, and shows what becomes of a damaged one.
using System.Runtime.InteropServices;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;

string path = Path.Combine(Directory.CreateTempSubdirectory("sample-").FullName, "small.safetensors");

float[] weight = [1, 2, 3, 4, 5, 6];
var writer = new SafetensorsWriter([new("made_by", "a sample")]);
writer.Add("weight", SafetensorsDType.F32, [2, 3], MemoryMarshal.AsBytes(weight.AsSpan()).ToArray());
writer.Add("step", SafetensorsDType.I64, [1], BitConverter.GetBytes(42L));
writer.Write(path);     // atomically: a reader sees the old file or the whole new one

using (SafetensorsFile file = SafetensorsFile.Open(path))
{
    foreach (SafetensorsEntry entry in file.Entries) Console.WriteLine($"{entry.Name,-7} {entry.Type} {entry.ShapeText}");
    float[] read = new float[6];
    file.ReadFloat32(file.GetEntry("weight"), read);
    Console.WriteLine($"sum     {read.Sum()}, made by {file.Metadata["made_by"]}");
}

byte[] bytes = File.ReadAllBytes(path);
File.WriteAllBytes(path, bytes[..^3]);
try
{
    SafetensorsFile.Open(path).Dispose();
}
catch (InputException e)
{
    Console.WriteLine($"damaged {e.Message[(e.Message.IndexOf(": ", StringComparison.Ordinal) + 2)..]}");
}

Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
