using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LoRA2.Native.Cuda.Driver;

/// <summary>The functions of NVIDIA's driver library that the backend calls (CUDA Driver API). All return a CUresult, 0 for success.</summary>
internal static unsafe partial class LibCuda
{
    private const string Library = "cuda";

    /// <summary>Where the driver's library may be, by operating system.</summary>
    public static readonly string[] FileNames = OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1", "libcuda.so"];

#pragma warning disable CA2255 // The resolver has to be there before the first call, whoever makes it.
    [ModuleInitializer]
    public static void SetResolver() => NativeLibrary.SetDllImportResolver(typeof(LibCuda).Assembly, Resolve);
#pragma warning restore CA2255

    [LibraryImport(Library, EntryPoint = "cuInit")]
    public static partial int Init(uint flags);

    [LibraryImport(Library, EntryPoint = "cuDriverGetVersion")]
    public static partial int DriverGetVersion(out int version);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetCount")]
    public static partial int DeviceGetCount(out int count);

    [LibraryImport(Library, EntryPoint = "cuDeviceGet")]
    public static partial int DeviceGet(out int device, int ordinal);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetName")]
    public static partial int DeviceGetName(byte* name, int length, int device);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetAttribute")]
    public static partial int DeviceGetAttribute(out int value, int attribute, int device);

    [LibraryImport(Library, EntryPoint = "cuDevicePrimaryCtxRetain")]
    public static partial int PrimaryContextRetain(out nint context, int device);

    [LibraryImport(Library, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
    public static partial int PrimaryContextRelease(int device);

    [LibraryImport(Library, EntryPoint = "cuCtxSetCurrent")]
    public static partial int ContextSetCurrent(nint context);

    [LibraryImport(Library, EntryPoint = "cuMemGetInfo_v2")]
    public static partial int MemoryInfo(out nuint free, out nuint total);

    [LibraryImport(Library, EntryPoint = "cuMemAlloc_v2")]
    public static partial int MemoryAllocate(out nint address, nuint bytes);

    [LibraryImport(Library, EntryPoint = "cuMemFree_v2")]
    public static partial int MemoryFree(nint address);

    [LibraryImport(Library, EntryPoint = "cuMemsetD8Async")]
    public static partial int MemoryFill(nint address, byte value, nuint bytes, nint stream);

    [LibraryImport(Library, EntryPoint = "cuMemcpyHtoDAsync_v2")]
    public static partial int CopyIn(nint to, void* from, nuint bytes, nint stream);

    [LibraryImport(Library, EntryPoint = "cuMemcpyDtoHAsync_v2")]
    public static partial int CopyOut(void* to, nint from, nuint bytes, nint stream);

    [LibraryImport(Library, EntryPoint = "cuModuleLoadDataEx")]
    public static partial int ModuleLoad(out nint module, byte* image, uint options, int* names, void** values);

    [LibraryImport(Library, EntryPoint = "cuModuleGetFunction", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ModuleGetFunction(out nint function, nint module, string name);

    [LibraryImport(Library, EntryPoint = "cuFuncSetAttribute")]
    public static partial int FunctionSetAttribute(nint function, int attribute, int value);

    [LibraryImport(Library, EntryPoint = "cuLaunchKernel")]
    public static partial int Launch(
        nint function, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY, uint blockZ, uint sharedMemory, nint stream, void** arguments, void** extra);

    [LibraryImport(Library, EntryPoint = "cuStreamCreate")]
    public static partial int StreamCreate(out nint stream, uint flags);

    [LibraryImport(Library, EntryPoint = "cuStreamDestroy_v2")]
    public static partial int StreamDestroy(nint stream);

    [LibraryImport(Library, EntryPoint = "cuStreamSynchronize")]
    public static partial int StreamSynchronize(nint stream);

    [LibraryImport(Library, EntryPoint = "cuGetErrorName")]
    public static partial int GetErrorName(int status, out byte* name);

    [LibraryImport(Library, EntryPoint = "cuGetErrorString")]
    public static partial int GetErrorString(int status, out byte* text);

    [LibraryImport(Library, EntryPoint = "cuGraphCreate")]
    public static partial int GraphCreate(out nint graph, uint flags);

    [LibraryImport(Library, EntryPoint = "cuGraphAddKernelNode")]
    public static partial int GraphAddKernel(out nint node, nint graph, nint* after, nuint count, KernelNode* kernel);

    [LibraryImport(Library, EntryPoint = "cuGraphAddMemsetNode")]
    public static partial int GraphAddFill(out nint node, nint graph, nint* after, nuint count, FillNode* fill, nint context);

    [LibraryImport(Library, EntryPoint = "cuGraphInstantiate_v2")]
    public static partial int GraphInstantiate(out nint executable, nint graph, nint* errorNode, byte* log, nuint logBytes);

    [LibraryImport(Library, EntryPoint = "cuGraphExecKernelNodeSetParams")]
    public static partial int GraphSetKernel(nint executable, nint node, KernelNode* kernel);

    [LibraryImport(Library, EntryPoint = "cuGraphLaunch")]
    public static partial int GraphLaunch(nint executable, nint stream);

    [LibraryImport(Library, EntryPoint = "cuGraphExecDestroy")]
    public static partial int GraphExecutableDestroy(nint executable);

    [LibraryImport(Library, EntryPoint = "cuGraphDestroy")]
    public static partial int GraphDestroy(nint graph);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Library) return 0;
        foreach (string file in FileNames)
        {
            if (NativeLibrary.TryLoad(file, out nint library)) return library;
        }

        return 0;
    }

    /// <summary>CUDA_KERNEL_NODE_PARAMS_v1.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct KernelNode
    {
        public nint Function;
        public uint GridX;
        public uint GridY;
        public uint GridZ;
        public uint BlockX;
        public uint BlockY;
        public uint BlockZ;
        public uint SharedMemory;
        public void** Arguments;
        public void** Extra;
    }

    /// <summary>CUDA_MEMSET_NODE_PARAMS: rows of <see cref="Width"/> elements.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct FillNode
    {
        public nint Address;
        public nuint Pitch;
        public uint Value;
        public uint ElementBytes;
        public nuint Width;
        public nuint Height;
    }
}
