using System.Net.Sockets;

namespace LoRA2.Native.Distributed.Watching;

/// <summary>A connection to another process: says now and then that this one is there, and listens whether the other is.</summary>
internal sealed class Peer : IDisposable
{
    private readonly TcpClient client;
    private readonly NetworkStream stream;
    private readonly Lock writing = new();
    private readonly Timer timer;
    private volatile bool isLeaving;

    /// <param name="client">The connection, on which who is who has been said.</param>
    /// <param name="silence">How long the other may be silent.</param>
    public Peer(TcpClient client, TimeSpan silence)
    {
        this.client = client;
        client.NoDelay = true;
        stream = client.GetStream();
        stream.ReadTimeout = (int)silence.TotalMilliseconds;
        stream.WriteTimeout = (int)silence.TotalMilliseconds;
        timer = new Timer(_ => Say(FrameKind.Alive), null, TimeSpan.Zero, silence / 6);
    }

    /// <summary>Listens on a thread of its own until the connection ends.</summary>
    /// <param name="heard">Told of every message but that the other is there.</param>
    /// <param name="lost">Told in the end, when neither side said that it leaves: whether the other was only silent.</param>
    public void Listen(Action<FrameKind, int, string> heard, Action<bool> lost)
    {
        var thread = new Thread(() =>
        {
            try
            {
                while (true)
                {
                    (FrameKind kind, int code, string text) = Frames.Read(stream);
                    if (kind == FrameKind.Leaving) isLeaving = true;
                    else if (kind != FrameKind.Alive) heard(kind, code, text);
                }
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                if (!isLeaving) lost(e.InnerException is SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock });
            }
        }, maxStackSize: 1 << 18)
        { IsBackground = true, Name = "watch" };
        thread.Start();
    }

    /// <summary>Tells the other something, if it is there.</summary>
    public void Say(FrameKind kind, int code = 0, string text = "")
    {
        if (kind == FrameKind.Leaving) isLeaving = true;
        try
        {
            lock (writing) Frames.Write(stream, kind, code, text);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Who listens to it finds out that it is no more.
        }
    }

    public void Dispose()
    {
        isLeaving = true;
        timer.Dispose();
        client.Dispose();
    }
}
