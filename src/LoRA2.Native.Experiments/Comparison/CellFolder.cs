using System.Text;
using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Experiments.Comparison;

/// <summary>How far a cell's run is.</summary>
internal enum CellState
{
    /// <summary>Nothing is there.</summary>
    New,

    /// <summary>It was begun, with these options.</summary>
    Begun,

    /// <summary>It is there, with these options.</summary>
    Finished,

    /// <summary>A run with other options is there.</summary>
    Changed,
}

/// <summary>A cell's folder: what was asked for, what the run leaves, and what it said.</summary>
internal sealed class CellFolder(Cell cell, ComparisonPlan plan)
{
    /// <summary>Everything the run's result depends on; written before the run starts.</summary>
    public const string AskedFile = "asked.json";

    private const string LogFile = "log.txt";

    private readonly RunFolder output = new(cell.Folder);

    public string Log => Path.Combine(cell.Folder, LogFile);

    private string Asked => Path.Combine(cell.Folder, AskedFile);

    public CellState State
    {
        get
        {
            bool any = File.Exists(output.Record) || output.HasCheckpoint;
            if (!File.Exists(Asked)) return any ? CellState.Changed : CellState.New;
            if (!RegularFile.ReadAllBytes(Asked).AsSpan().SequenceEqual(AskedNow())) return any ? CellState.Changed : CellState.New;
            return output.IsFinished ? CellState.Finished : CellState.Begun;
        }
    }

    public CellResult Result => CellResult.Read(output.Record);

    /// <summary>Makes the folder ready for a run with <c>--resume</c>, after what another process may still be saving there.</summary>
    /// <exception cref="OperationCanceledException">Cancelled while another process wrote there.</exception>
    public void Prepare(Action waits, CancellationToken cancellation)
    {
        FileStream? hold = output.TryHold();
        if (hold is null) waits();
        while (hold is null)
        {
            cancellation.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(200));
            cancellation.ThrowIfCancellationRequested();
            hold = output.TryHold();
        }

        using (hold)
        {
            // In this order: what is there stays a run with other options until all of it is gone.
            if (State is CellState.Changed or CellState.New) output.Reset();
            AtomicFile.Write(Asked, stream => stream.Write(AskedNow()));
        }
    }

    private byte[] AskedNow()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, JsonFormat.Indented))
        {
            json.WriteStartObject();
            json.WriteString("model", plan.Model);
            json.WriteString("data", plan.Data);
            json.WriteString("task", cell.Task.Name);
            json.WriteNumber("seed", cell.Seed);
            json.WriteStartObject("options");
            foreach (RunOption option in cell.Options.Where(RunOptions.HasEffect)) json.WriteString(option.Name, option.Value);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        buffer.Write(Encoding.UTF8.GetBytes("\n"));
        return buffer.ToArray();
    }
}
