using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;
using LoRA2.Native.Communication;

namespace LoRA2.Native.Distributed.Watching;

/// <summary>
/// Finds out, beside MPI, that a process is no more: every process has a connection to process 0, which breaks when one of the two ends, and on which each says that it is
/// there. MPI's own calls may wait for ever for one that is gone.
/// </summary>
internal sealed class ProcessWatch : IDisposable
{
    private const int TokenBytes = 16;
    private static readonly TimeSpan Connecting = TimeSpan.FromSeconds(5);

    private readonly Communicator communicator;
    private readonly TimeSpan silence;
    private readonly Lock gate = new();
    private readonly Dictionary<int, Peer> peers = [];
    private readonly CancellationTokenSource failed = new();
    private bool disposed;

    /// <param name="communicator">The processes.</param>
    /// <param name="silence">How long one may be silent.</param>
    public ProcessWatch(Communicator communicator, TimeSpan silence) => (this.communicator, this.silence) = (communicator, silence);

    /// <summary>What happened, or null.</summary>
    public ProcessFailure? Failure { get; private set; }

    /// <summary>Cancelled when something happened.</summary>
    public CancellationToken Failed => failed.Token;

    /// <summary>Whether every process is watched: process 0 could be reached by all.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Connects every process with process 0; all processes call it.</summary>
    public void Start()
    {
        byte[] token = new byte[TokenBytes];
        if (communicator.IsFirst) RandomNumberGenerator.Fill(token);
        communicator.Broadcast<byte>(token);
        bool connected;
        if (communicator.IsFirst)
        {
            using var listener = new TcpListener(IPAddress.Any, 0);
            listener.Start(communicator.Size);
            string where = string.Join(' ', Addresses().Select(address => address.ToString()).Prepend(((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture)));
            communicator.AllGatherText(where);
            Accept(listener, token);
            connected = true;
        }
        else
        {
            string[] where = communicator.AllGatherText("")[0].Split(' ');
            connected = Connect(int.Parse(where[0], CultureInfo.InvariantCulture), where[1..], token);
        }

        IsComplete = communicator.AllGatherText(connected ? "" : "no").All(text => text.Length == 0);
    }

    /// <summary>This process ends, and why: the others do so too.</summary>
    public void Abort(string reason, int code)
    {
        string said = $"{communicator.NameOf(communicator.Rank)}: {reason}";
        Fail(new ProcessFailure(said, code, IsSaid: !communicator.IsFirst && IsComplete) { IsOwn = true }, communicator.IsFirst ? FrameKind.End : FrameKind.Ending, communicator.IsFirst ? said : reason);
    }

    /// <summary>This process is done with the others.</summary>
    public void Leave()
    {
        lock (gate)
        {
            foreach (Peer peer in peers.Values) peer.Say(FrameKind.Leaving);
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            foreach (Peer peer in peers.Values) peer.Dispose();
            peers.Clear();
        }

        failed.Dispose();
    }

    private static IEnumerable<IPAddress> Addresses() => NetworkInterface.GetAllNetworkInterfaces()
        .Where(card => card.OperationalStatus != OperationalStatus.Down)
        .SelectMany(card => card.GetIPProperties().UnicastAddresses)
        .Select(address => address.Address)
        .Where(address => address.AddressFamily == AddressFamily.InterNetwork);

    /// <summary>Takes the connections of all others, and of nobody else.</summary>
    private void Accept(TcpListener listener, byte[] token)
    {
        DateTime end = DateTime.UtcNow + (Connecting * 2);
        while (peers.Count < communicator.Size - 1 && DateTime.UtcNow < end)
        {
            if (!listener.Pending())
            {
                Thread.Sleep(5);
                continue;
            }

            TcpClient client = listener.AcceptTcpClient();
            if (Named(client, token) is { } rank && !peers.ContainsKey(rank)) Watch(rank, client);
            else client.Dispose();
        }
    }

    private int? Named(TcpClient client, byte[] token)
    {
        try
        {
            NetworkStream stream = client.GetStream();
            stream.ReadTimeout = (int)Connecting.TotalMilliseconds;
            byte[] said = new byte[TokenBytes + 4];
            stream.ReadExactly(said);
            int rank = BinaryPrimitives.ReadInt32LittleEndian(said.AsSpan(TokenBytes));
            bool known = CryptographicOperations.FixedTimeEquals(said.AsSpan(0, TokenBytes), token) && rank > 0 && rank < communicator.Size;
            if (known) stream.WriteByte(1);
            return known ? rank : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private bool Connect(int port, string[] addresses, byte[] token)
    {
        bool isHere = communicator.Hosts[0] == communicator.Hosts[communicator.Rank];
        byte[] said = [.. token, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32LittleEndian(said.AsSpan(TokenBytes), communicator.Rank);
        // Another machine's loopback is this machine's own.
        foreach (IPAddress address in addresses.Select(IPAddress.Parse).Where(address => isHere || !IPAddress.IsLoopback(address)).OrderBy(address => IPAddress.IsLoopback(address) ? 0 : 1))
        {
            var client = new TcpClient(AddressFamily.InterNetwork);
            try
            {
                using var limit = new CancellationTokenSource(Connecting);
                client.ConnectAsync(address, port, limit.Token).AsTask().GetAwaiter().GetResult();
                NetworkStream stream = client.GetStream();
                stream.ReadTimeout = (int)Connecting.TotalMilliseconds;
                stream.Write(said);
                if (stream.ReadByte() == 1)
                {
                    Watch(0, client);
                    return true;
                }
            }
            catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
            {
                // The next address may be on a network of both.
            }

            client.Dispose();
        }

        return false;
    }

    private void Watch(int rank, TcpClient client)
    {
        var peer = new Peer(client, silence);
        lock (gate) peers.Add(rank, peer);
        peer.Listen((_, code, text) => Heard(rank, code, text), silent => Lost(rank, silent));
    }

    private void Heard(int rank, int code, string text)
    {
        if (rank == 0) Fail(new ProcessFailure(text, code, IsSaid: true), null, "");
        else Fail(new ProcessFailure($"{communicator.NameOf(rank)}: {text}", code, IsSaid: false), FrameKind.End, $"{communicator.NameOf(rank)}: {text}");
    }

    private void Lost(int rank, bool silent)
    {
        string what = silent ? $"{communicator.NameOf(rank)} has not been heard of for {silence.TotalSeconds:0} s" : $"{communicator.NameOf(rank)} ended";
        // Of those that process 0 leaves behind the next one speaks.
        Fail(new ProcessFailure(what, 1, IsSaid: rank == 0 && communicator.Rank != 1), communicator.IsFirst ? FrameKind.End : null, what);
    }

    private void Fail(ProcessFailure failure, FrameKind? kind, string text)
    {
        lock (gate)
        {
            if (Failure is not null || disposed) return;
            Failure = failure;
            if (kind is { } frame)
            {
                foreach (Peer peer in peers.Values) peer.Say(frame, failure.ExitCode, text);
            }
        }

        failed.Cancel();
    }
}
