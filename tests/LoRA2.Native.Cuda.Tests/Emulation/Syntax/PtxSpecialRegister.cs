namespace LoRA2.Native.Cuda.Tests.Emulation.Syntax;

/// <summary>The read-only registers that say where a thread is.</summary>
internal enum PtxSpecial
{
    TidX, TidY, TidZ,
    NtidX, NtidY, NtidZ,
    CtaidX, CtaidY, CtaidZ,
    NctaidX, NctaidY, NctaidZ,
    LaneId, WarpId, NwarpId,
    LaneMaskEq, LaneMaskLt, LaneMaskLe, LaneMaskGt, LaneMaskGe,
    DynamicSharedSize, TotalSharedSize,
}

/// <summary>The names of the read-only registers.</summary>
internal static class PtxSpecialRegister
{
    public static PtxSpecial? Find(string name) => name switch
    {
        "%tid.x" => PtxSpecial.TidX,
        "%tid.y" => PtxSpecial.TidY,
        "%tid.z" => PtxSpecial.TidZ,
        "%ntid.x" => PtxSpecial.NtidX,
        "%ntid.y" => PtxSpecial.NtidY,
        "%ntid.z" => PtxSpecial.NtidZ,
        "%ctaid.x" => PtxSpecial.CtaidX,
        "%ctaid.y" => PtxSpecial.CtaidY,
        "%ctaid.z" => PtxSpecial.CtaidZ,
        "%nctaid.x" => PtxSpecial.NctaidX,
        "%nctaid.y" => PtxSpecial.NctaidY,
        "%nctaid.z" => PtxSpecial.NctaidZ,
        "%laneid" => PtxSpecial.LaneId,
        "%warpid" => PtxSpecial.WarpId,
        "%nwarpid" => PtxSpecial.NwarpId,
        "%lanemask_eq" => PtxSpecial.LaneMaskEq,
        "%lanemask_lt" => PtxSpecial.LaneMaskLt,
        "%lanemask_le" => PtxSpecial.LaneMaskLe,
        "%lanemask_gt" => PtxSpecial.LaneMaskGt,
        "%lanemask_ge" => PtxSpecial.LaneMaskGe,
        "%dynamic_smem_size" => PtxSpecial.DynamicSharedSize,
        "%total_smem_size" => PtxSpecial.TotalSharedSize,
        _ => null,
    };
}
