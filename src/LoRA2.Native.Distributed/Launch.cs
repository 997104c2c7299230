using System.Globalization;

namespace LoRA2.Native.Distributed;

/// <summary>What started this process among others, as its environment says.</summary>
/// <param name="Launcher">What is known of it: "Open MPI", "MPICH" or "PMIx".</param>
/// <param name="Rank">This process's number.</param>
/// <param name="Size">Number of processes, or null where only MPI itself says it.</param>
public sealed record Launch(string Launcher, int Rank, int? Size)
{
    /// <summary>Open MPI's mpirun.</summary>
    internal const string OpenMpi = "Open MPI";

    /// <summary>MPICH's mpirun and its kin, and Slurm's PMI-2.</summary>
    internal const string Mpich = "MPICH";

    private static readonly (string Launcher, string Rank, string? Size)[] Known =
    [
        (OpenMpi, "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
        (Mpich, "PMI_RANK", "PMI_SIZE"),
        ("PMIx", "PMIX_RANK", null),
    ];

    // What a process started by this one must not inherit: it would take itself for one of them.
    private static readonly string[] Prefixes = ["OMPI_", "PMIX_", "PMI_", "PRTE_", "HYDRA_", "HYDI_", "MPIR_", "MPICH_"];

    /// <summary>That of this process, or null when nothing of MPI's started it; nothing of MPI is touched.</summary>
    public static Launch? Detected { get; } = Detect(Environment.GetEnvironmentVariable);

    /// <summary>The names of this process's environment variables that tell a process that MPI started it.</summary>
    public static IEnumerable<string> Variables => Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(name => Array.Exists(Prefixes, prefix => name.StartsWith(prefix, StringComparison.Ordinal)));

    internal static Launch? Detect(Func<string, string?> variable)
    {
        foreach ((string launcher, string rank, string? size) in Known)
        {
            if (Number(variable(rank)) is not { } own) continue;
            int? all = size is null ? Number(variable("SLURM_NTASKS")) : Number(variable(size));
            if (size is null || all is not null) return new Launch(launcher, own, all);
        }

        return null;
    }

    private static int? Number(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;
}
