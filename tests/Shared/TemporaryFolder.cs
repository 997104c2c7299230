
namespace LoRA2.Native.Tests.Shared;

/// <summary>A folder of a test's own, removed with all it holds.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("lora2-test-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text)
    {
        System.IO.File.WriteAllText(File(name), text);
        return File(name);
    }

    public string Write(string name, byte[] bytes)
    {
        System.IO.File.WriteAllBytes(File(name), bytes);
        return File(name);
    }

    /// <summary>Makes a named pipe; the test is a <see cref="PipeFactAttribute"/>.</summary>
    public string Pipe(string name)
    {
        using System.Diagnostics.Process make = System.Diagnostics.Process.Start("mkfifo", [File(name)]);
        make.WaitForExit();
        return File(name);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
