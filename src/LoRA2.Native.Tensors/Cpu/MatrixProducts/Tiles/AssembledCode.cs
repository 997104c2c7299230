using Iced.Intel;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>Code assembled in this process, because .NET has no intrinsics for its instructions. The pages it lies on live as long as the process.</summary>
internal sealed unsafe class AssembledCode
{
    private readonly byte* memory;
    private readonly int[] entries;

    private AssembledCode(byte* memory, int[] entries)
    {
        this.memory = memory;
        this.entries = entries;
    }

    /// <summary>How many entries it has.</summary>
    public int Count => entries.Length;

    /// <summary>Assembles code and its entries; null if the system grants no memory that can be executed.</summary>
    public static AssembledCode? Of(Func<Assembler, IEnumerable<Label>> write)
    {
        var assembler = new Assembler(64);
        List<Label> labels = [.. write(assembler)];
        using var stream = new MemoryStream();
        AssemblerResult result = assembler.Assemble(new StreamCodeWriter(stream), 0, BlockEncoderOptions.ReturnNewInstructionOffsets);
        int[] offsets = [.. labels.Select(label => (int)result.GetLabelRIP(label))];
        byte* memory = LinuxMemory.Load(stream.GetBuffer().AsSpan(0, (int)stream.Length));
        return memory == null ? null : new AssembledCode(memory, offsets);
    }

    /// <summary>A new entry, here.</summary>
    public static Label Start(Assembler c)
    {
        Label label = c.CreateLabel();
        c.Label(ref label);
        c.endbr64();
        return label;
    }

    /// <summary>Address of an entry.</summary>
    public byte* Entry(int index) => memory + entries[index];
}
