using LoRA2.Native.Adapters;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Adapters;

public sealed class VeRAProjectionsTests
{
    /// <summary>What PyTorch drew, bit for bit.</summary>
    [Fact]
    public void AreTorchsBitForBit()
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(SharedData.Repository, "tests", "Fixtures", "cases", "21-vera-projections", "projections.safetensors"));
        string[] names = [.. file.Entries.Select(entry => entry.Name[..^1]).Distinct()];
        Assert.True(names.Length > 5);
        foreach (string name in names)
        {
            var random = new MersenneTwister(ulong.Parse(name.Split('.')[0]["seed".Length..]));
            foreach (string part in (string[])["A", "B"])
            {
                SafetensorsEntry entry = file.GetEntry(name + part);
                float[] expected = new float[entry.ElementCount], drawn = new float[entry.ElementCount];
                file.ReadFloat32(entry, expected);
                double bound = Math.Sqrt(3) * (Math.Sqrt(2) / Math.Sqrt(entry.Shape[1]));
                random.FillUniform(drawn, (float)-bound, (float)bound);
                Assert.Equal(expected, drawn);
            }
        }
    }
}
