using LoRA2.Native.Files;

namespace LoRA2.Native.Distributed.Tests.Launched;

public sealed class LaunchTests
{
    [Theory]
    [InlineData("OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=4", "Open MPI", 1, 4)]
    [InlineData("PMI_RANK=0 PMI_SIZE=2", "MPICH", 0, 2)]
    [InlineData("PMIX_RANK=3 SLURM_NTASKS=8", "PMIx", 3, 8)]
    [InlineData("PMIX_RANK=3", "PMIx", 3, null)]
    [InlineData("SLURM_NTASKS=8 SLURM_PROCID=3", null, 0, null)]
    [InlineData("PMI_RANK=x PMI_SIZE=2", null, 0, null)]
    [InlineData("", null, 0, null)]
    public void IsToldByTheEnvironment(string environment, string? launcher, int rank, int? size)
    {
        Dictionary<string, string> variables = environment.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        Assert.Equal(launcher is null ? null : new Launch(launcher, rank, size), Launch.Detect(name => variables.GetValueOrDefault(name)));
    }

    [Theory]
    [InlineData(null, 30)]
    [InlineData("2.5", 2.5)]
    public void TheSilenceThatIsBorneIsAskedFor(string? text, double seconds) => Assert.Equal(seconds, MpiCommunicator.Silence(text).TotalSeconds);

    [Theory]
    [InlineData("0")]
    [InlineData("soon")]
    [InlineData("NaN")]
    public void OrRefused(string text) => Assert.Contains($"LORA2_RANK_TIMEOUT is '{text}'", Assert.Throws<InputException>(() => MpiCommunicator.Silence(text)).Message, StringComparison.Ordinal);
}
