using System.Globalization;
using Google.Protobuf;
using LoRA2.Native.Files;

namespace LoRA2.Native.TensorBoard;

/// <summary>
/// A file of TensorFlow's <c>Event</c> messages that TensorBoard reads while it grows. Of the message are written wall_time (1), step (2), file_version (3) and a
/// summary (5) of values (1) with tag (1) and simple_value (2).
/// </summary>
public sealed class EventFile : IDisposable
{
    private const string NamePart = "events.out.tfevents";

    private readonly Stream stream;
    private readonly MemoryStream message = new();
    private bool disposed;

    /// <summary>Makes a file with a name of its own in a folder, and the folder if need be.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public EventFile(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        Directory.CreateDirectory(folder);
        string host = string.Concat(Environment.MachineName.Select(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '.' ? character : '-'));
        string time = DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString("D10", CultureInfo.InvariantCulture);
        Path = System.IO.Path.Combine(folder, $"{NamePart}.{time}.{host}.{Environment.ProcessId}.lora2");
        Disk.Current.Delete(Path);
        stream = Disk.Current.Create(Path, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            Write(output =>
            {
                output.WriteTag(3, WireFormat.WireType.LengthDelimited);
                output.WriteString("brain.Event:2");
            });
            Flush();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Deletes the event files that lie in a folder; nothing else.</summary>
    public static void DeleteIn(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        if (!Directory.Exists(folder)) return;
        foreach (string file in Directory.GetFiles(folder, NamePart + ".*.lora2")) Disk.Current.Delete(file);
    }

    /// <summary>Adds one value of a curve.</summary>
    /// <param name="tag">The curve; what is before a slash groups curves.</param>
    /// <param name="step">Along the horizontal axis.</param>
    /// <param name="value">The value.</param>
    public void Scalar(string tag, long step, double value)
    {
        ArgumentNullException.ThrowIfNull(tag);
        Write(output =>
        {
            output.WriteTag(2, WireFormat.WireType.Varint);
            output.WriteInt64(step);
            int valueSize = 1 + CodedOutputStream.ComputeStringSize(tag) + 1 + sizeof(float);
            output.WriteTag(5, WireFormat.WireType.LengthDelimited);
            output.WriteLength(1 + CodedOutputStream.ComputeLengthSize(valueSize) + valueSize);
            output.WriteTag(1, WireFormat.WireType.LengthDelimited);
            output.WriteLength(valueSize);
            output.WriteTag(1, WireFormat.WireType.LengthDelimited);
            output.WriteString(tag);
            output.WriteTag(2, WireFormat.WireType.Fixed32);
            output.WriteFloat((float)value);
        });
    }

    /// <summary>Lets readers see what was added.</summary>
    public void Flush()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        stream.Flush();
    }

    /// <summary>Closes the file.</summary>
    /// <exception cref="IOException">The disk refused what was left to be written; the file is closed all the same.</exception>
    public void Dispose()
    {
        disposed = true;
        message.Dispose();
        stream.Dispose();
    }

    private void Write(Action<CodedOutputStream> write)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        message.SetLength(0);
        using (var output = new CodedOutputStream(message, leaveOpen: true))
        {
            output.WriteTag(1, WireFormat.WireType.Fixed64);
            output.WriteDouble((DateTime.UtcNow - DateTime.UnixEpoch).TotalSeconds);
            write(output);
        }

        RecordFraming.Write(stream, message.GetBuffer().AsSpan(0, (int)message.Length));
    }
}
