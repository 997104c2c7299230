using LoRA2.Native.Cli.Distribution;
using LoRA2.Native.Experiments;
using LoRA2.Native.Files;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Distributed.Tests.InProcess;

/// <summary>The folder of a comparison that several processes make.</summary>
public sealed class SharedComparisonTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AnotherComparisonsClaimsStayAndThoseThatWereLeftGo()
    {
        string output = folder.File("comparison"), claims = Path.Combine(output, $".claims-{Guid.NewGuid():N}"), own = Path.Combine(output, ".claims-mine");
        Directory.CreateDirectory(claims);
        Directory.CreateDirectory(own);
        using (new RunFolder(output).Hold())
        {
            InputException e = Assert.Throws<InputException>(() => Members.Each(2, member =>
            {
                using var shared = new SharedComparison(member, output);
                return 0;
            }));
            Assert.Contains("another process writes to this folder", e.Message, StringComparison.Ordinal);
            Assert.True(Directory.Exists(claims));
        }

        Members.Each(2, member =>
        {
            using var shared = new SharedComparison(member, output);
            Assert.False(Directory.Exists(claims));
            Assert.Null(new RunFolder(output).TryHold());
            member.Barrier();
            return 0;
        });
        Assert.Equal([own], Directory.EnumerateFileSystemEntries(output));
    }
}
