using LoRA2.Native.Files;

namespace LoRA2.Native.Tests.Shared;

/// <summary>What happens at the operation that goes wrong.</summary>
public enum Fault
{
    /// <summary>It is refused, as by a full disk.</summary>
    Refused,

    /// <summary>Half of what was to be written arrives, then it is refused.</summary>
    Shortened,

    /// <summary>The process ends: nothing after it happens, not even cleaning up.</summary>
    Killed,
}

/// <summary>Thrown where the process would have ended.</summary>
public sealed class KilledException : Exception;

/// <summary>The real disk, but the Nth operation (from 0) goes wrong.</summary>
internal sealed class FaultyDisk(int at, Fault fault) : Disk
{
    private bool killed;

    /// <summary>Operations so far.</summary>
    public int Count { get; private set; }

    public override Stream Create(string path, FileShare share)
    {
        Step();
        return new FaultyStream(this, new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, share, 1));
    }

    public override void Flush(Stream stream)
    {
        Step();
        stream.Flush();
    }

    public override void Move(string from, string to)
    {
        Step();
        File.Move(from, to, overwrite: true);
    }

    public override void Delete(string path)
    {
        Step();
        File.Delete(path);
    }

    public override void FlushFolder(string folder) => Step();

    private void Step(Action? half = null)
    {
        if (killed) throw new KilledException();
        if (Count++ != at) return;
        if (fault != Fault.Refused) half?.Invoke();
        killed = fault == Fault.Killed;
        if (killed) throw new KilledException();
        throw new IOException("No space left on device");
    }

    private sealed class FaultyStream(FaultyDisk disk, FileStream inner) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => true;

        public override bool CanWrite => true;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => inner.Position = value; }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            byte[] bytes = buffer.ToArray();
            disk.Step(() => inner.Write(bytes.AsSpan(0, bytes.Length / 2)));
            inner.Write(bytes);
        }

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

        public override void SetLength(long value) => inner.SetLength(value);

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
