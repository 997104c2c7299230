using System.Runtime.InteropServices;
using System.Text;
using LoRA2.Native.Files;

namespace LoRA2.Native.Distributed.Mpi;

/// <summary>
/// The installed MPI, found at run time. Of its C interface only what differs least is used: bytes, the world, requests. Open MPI's handles are addresses of its own
/// objects, MPICH's are numbers, which every MPI of the common MPICH ABI has (Intel MPI, MVAPICH, Cray MPICH): MPI 3.1's standard, and both projects' mpi.h.
/// </summary>
internal sealed unsafe class MpiLibrary
{
    /// <summary>The variable that names the library's file.</summary>
    public const string Variable = "LORA2_MPI";

    private const int Serialized = 2;
    private const int MostText = 8192;

    private readonly nint handle;
    private readonly nint world;
    private readonly nint bytes;
    private readonly nint ignore;
    private readonly delegate* unmanaged[Cdecl]<long*, int*, nint, int> test;
    private readonly delegate* unmanaged[Cdecl]<nint, nint, int> barrier;
    private readonly delegate* unmanaged[Cdecl]<void*, int, nint, int, nint, nint, int> broadcast;
    private readonly delegate* unmanaged[Cdecl]<void*, int, nint, void*, int*, int*, nint, nint, nint, int> gather;
    private readonly delegate* unmanaged[Cdecl]<void*, int*, int*, nint, void*, int*, int*, nint, nint, nint, int> exchange;

    private MpiLibrary(nint handle, string file)
    {
        this.handle = handle;
        File = file;
        byte* text = stackalloc byte[MostText];
        int length = 0;
        ((delegate* unmanaged[Cdecl]<byte*, int*, int>)Function("MPI_Get_library_version"))(text, &length);
        // "Open MPI v4.1.4, package: …"; "MPICH Version:\t4.0.2\nMPICH Release date: …".
        string said = Encoding.UTF8.GetString(text, Math.Clamp(length, 0, MostText)).Split('\n')[0].Split(',')[0];
        Version = string.Join(' ', said.Replace("Version:", "", StringComparison.Ordinal).Split((char[])['\0', ' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries));
        IsOpenMpi = NativeLibrary.TryGetExport(handle, "ompi_mpi_comm_world", out world);
        bytes = IsOpenMpi ? NativeLibrary.GetExport(handle, "ompi_mpi_byte") : 0x4c00010d;
        if (!IsOpenMpi) world = 0x44000000;
        ignore = IsOpenMpi ? 0 : 1;
        test = (delegate* unmanaged[Cdecl]<long*, int*, nint, int>)Function("MPI_Test");
        barrier = (delegate* unmanaged[Cdecl]<nint, nint, int>)Function("MPI_Ibarrier");
        broadcast = (delegate* unmanaged[Cdecl]<void*, int, nint, int, nint, nint, int>)Function("MPI_Ibcast");
        gather = (delegate* unmanaged[Cdecl]<void*, int, nint, void*, int*, int*, nint, nint, nint, int>)Function("MPI_Iallgatherv");
        exchange = (delegate* unmanaged[Cdecl]<void*, int*, int*, nint, void*, int*, int*, nint, nint, nint, int>)Function("MPI_Ialltoallv");
    }

    /// <summary>The file that was loaded.</summary>
    public string File { get; }

    /// <summary>What the library calls itself: "Open MPI v4.1.4".</summary>
    public string Version { get; }

    /// <summary>Whether it is Open MPI.</summary>
    public bool IsOpenMpi { get; }

    /// <summary>Loads the library of the MPI that started this process.</summary>
    /// <exception cref="InputException">There is none, or it can't be loaded.</exception>
    public static MpiLibrary Load(Launch? launch, string? named)
    {
        string[] names = named is { Length: > 0 } ? [named] : [.. NamesFor(launch?.Launcher)];
        foreach (string name in names)
        {
            if (!NativeLibrary.TryLoad(name, out nint handle)) continue;
            if (!NativeLibrary.TryGetExport(handle, "MPI_Ialltoallv", out _)) throw new InputException($"{name}: the library is no MPI of version 3 or later (it has no MPI_Ialltoallv)");
            return new MpiLibrary(handle, name);
        }

        if (named is { Length: > 0 }) throw new InputException($"{Variable} is '{named}', which can't be loaded; the file of an MPI library was expected");
        throw new InputException($"{(launch is null ? "" : $"{launch.Launcher} started this process, and ")}no MPI library was found ({string.Join(", ", names)}); install openmpi-bin or mpich, or name the library's file in {Variable}");
    }

    /// <summary>Begins MPI, with errors that are returned.</summary>
    /// <exception cref="InputException">The library allows calls from one thread only, or can't begin.</exception>
    public void Begin()
    {
        int provided = 0;
        Check(((delegate* unmanaged[Cdecl]<void*, void*, int, int*, int>)Function("MPI_Init_thread"))(null, null, Serialized, &provided), "MPI_Init_thread");
        if (provided < Serialized) throw new InputException($"{File} ({Version}) allows MPI calls from one thread only; a build of it with MPI_THREAD_SERIALIZED was expected");
        nint returns = IsOpenMpi ? NativeLibrary.GetExport(handle, "ompi_mpi_errors_return") : 0x54000001;
        Check(((delegate* unmanaged[Cdecl]<nint, nint, int>)Function("MPI_Comm_set_errhandler"))(world, returns), "MPI_Comm_set_errhandler");
    }

    /// <summary>This process's number.</summary>
    public int Rank => Ask("MPI_Comm_rank");

    /// <summary>Number of processes.</summary>
    public int Size => Ask("MPI_Comm_size");

    /// <summary>The machine's name.</summary>
    public string Host
    {
        get
        {
            byte* text = stackalloc byte[MostText];
            int length = 0;
            Check(((delegate* unmanaged[Cdecl]<byte*, int*, int>)Function("MPI_Get_processor_name"))(text, &length), "MPI_Get_processor_name");
            return Encoding.UTF8.GetString(text, Math.Clamp(length, 0, MostText));
        }
    }

    /// <summary>Ends MPI; waits for the other processes to do so.</summary>
    public void End() => Check(((delegate* unmanaged[Cdecl]<int>)Function("MPI_Finalize"))(), "MPI_Finalize");

    /// <summary>Starts a barrier. The request is eight bytes, which <see cref="IsDone"/> takes.</summary>
    public void StartBarrier(long* request) => Check(barrier(world, (nint)request), "MPI_Ibarrier");

    /// <summary>Starts a broadcast.</summary>
    public void StartBroadcast(byte* values, int count, int root, long* request) => Check(broadcast(values, count, bytes, root, world, (nint)request), "MPI_Ibcast");

    /// <summary>Starts a gathering of unequal counts.</summary>
    public void StartGather(byte* own, int count, byte* all, int* counts, int* places, long* request) =>
        Check(gather(own, count, bytes, all, counts, places, bytes, world, (nint)request), "MPI_Iallgatherv");

    /// <summary>Starts an exchange of unequal counts.</summary>
    public void StartExchange(byte* send, int* sendCounts, int* sendPlaces, byte* receive, int* receiveCounts, int* receivePlaces, long* request) =>
        Check(exchange(send, sendCounts, sendPlaces, bytes, receive, receiveCounts, receivePlaces, bytes, world, (nint)request), "MPI_Ialltoallv");

    /// <summary>Lets MPI work, and asks whether what was started is done.</summary>
    public bool IsDone(long* request)
    {
        int done = 0;
        Check(test(request, &done, ignore), "MPI_Test");
        return done != 0;
    }

    private static IEnumerable<string> NamesFor(string? launcher)
    {
        string[] open = OperatingSystem.IsMacOS() ? ["libmpi.40.dylib"] : ["libmpi.so.40"];
        string[] mpich = OperatingSystem.IsWindows() ? ["msmpi.dll"] : OperatingSystem.IsMacOS() ? ["libmpi.12.dylib", "libpmpi.12.dylib"] : ["libmpich.so.12", "libmpi.so.12"];
        string[] any = OperatingSystem.IsWindows() ? [] : OperatingSystem.IsMacOS() ? ["libmpi.dylib"] : ["libmpi.so"];
        return launcher switch
        {
            Launch.OpenMpi => open.Concat(any),
            Launch.Mpich => mpich.Concat(any),
            _ => open.Concat(mpich).Concat(any),
        };
    }

    private int Ask(string function)
    {
        int value = 0;
        Check(((delegate* unmanaged[Cdecl]<nint, int*, int>)Function(function))(world, &value), function);
        return value;
    }

    private nint Function(string name) => NativeLibrary.TryGetExport(handle, name, out nint address) ? address : throw new InputException($"{File}: the library has no {name}; an MPI of version 3 or later was expected");

    private void Check(int code, string function)
    {
        if (code == 0) return;
        byte* text = stackalloc byte[MostText];
        int length = 0;
        ((delegate* unmanaged[Cdecl]<int, byte*, int*, int>)Function("MPI_Error_string"))(code, text, &length);
        throw new Communication.CommunicationException($"{function} of {Version} failed: {Encoding.UTF8.GetString(text, Math.Clamp(length, 0, MostText)).TrimEnd('.', '\n')}");
    }
}
