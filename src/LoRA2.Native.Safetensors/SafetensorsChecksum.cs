using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace LoRA2.Native.Safetensors;

/// <summary>SHA-256 of what a file means: the metadata and every tensor by name, with type, shape and bytes; whatever the order in the file.</summary>
internal sealed class SafetensorsChecksum : IDisposable
{
    /// <summary>Where the metadata have it.</summary>
    public const string Key = "lora2_sha256";

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public SafetensorsChecksum() => Content = new HashStream(hash);

    /// <summary>Takes a tensor's bytes.</summary>
    public Stream Content { get; }

    /// <summary>The sum of all that was added, once.</summary>
    public string Text => Convert.ToHexString(hash.GetHashAndReset());

    public void Add(IEnumerable<KeyValuePair<string, string>> metadata)
    {
        foreach ((string key, string value) in metadata.Where(pair => pair.Key != Key).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            Add(key);
            Add(value);
        }
    }

    public void Add(string name, SafetensorsDType type, ReadOnlySpan<long> shape)
    {
        Add(name);
        Add((long)type);
        foreach (long extent in shape) Add(extent);
    }

    public void Dispose() => hash.Dispose();

    private void Add(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Add(bytes.Length);
        hash.AppendData(bytes);
    }

    private void Add(long number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        hash.AppendData(bytes);
    }

    private sealed class HashStream(IncrementalHash hash) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer) => hash.AppendData(buffer);

        public override void Write(byte[] buffer, int offset, int count) => hash.AppendData(buffer, offset, count);

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
