using LoRA2.Native.Benchmarks.Fuzzing;
using LoRA2.Native.Files;
using SharpFuzz;

// guided targets FIXTURES          the names of the targets
// guided seeds FIXTURES NAME DIR   writes the files that afl-fuzz begins with
// guided run FIXTURES NAME         reads cases of afl-fuzz; an exception that is no InputException of one line ends the process, which afl-fuzz counts as a crash
string fixtures = args[1];
if (args[0] == "targets")
{
    foreach (FuzzTarget each in FuzzTargets.Of(fixtures)) Console.WriteLine(each.Name);
    return;
}

if (args[0] == "seeds")
{
    FuzzTarget drawn = Named(args[2]);
    Directory.CreateDirectory(args[3]);
    int written = 0;
    foreach (string source in drawn.Corpus.Where(source => File.Exists(Path.Combine(source, drawn.File)))) File.Copy(Path.Combine(source, drawn.File), Path.Combine(args[3], $"{written++}"), overwrite: true);
    for (; drawn.Draw is not null && written < 8; written++) File.WriteAllBytes(Path.Combine(args[3], $"{written}"), drawn.Draw(new Random(written)));
    return;
}

// Instrumented code may run only once SharpFuzz has the memory that it counts in, so the target is made by the first case.
FuzzTarget? target = null;
string folder = Directory.CreateTempSubdirectory("lora2-guided-").FullName;
string[] kept = [];
Fuzzer.Run(stream =>
{
    target ??= Prepare();
    using (FileStream file = File.Create(Path.Combine(folder, target.File))) stream.CopyTo(file);
    try
    {
        target.Read(folder);
    }
    catch (InputException e) when (e.Message.Length <= 1000 && !e.Message.AsSpan().ContainsAny('\n', '\r'))
    {
        // Refused as it should be.
    }

    // What the target saved again must not be there for the next case.
    foreach (string file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Except(kept)) File.Delete(file);
});

FuzzTarget Named(string name) => FuzzTargets.Of(fixtures).Single(each => each.Name == name);

FuzzTarget Prepare()
{
    FuzzTarget named = Named(args[2]);
    if (named.Draw is null)
    {
        string from = named.Corpus.First(source => File.Exists(Path.Combine(source, named.File)));
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(folder, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.WriteAllBytes(copy, File.ReadAllBytes(file));
        }
    }

    kept = Directory.GetFiles(folder, "*", SearchOption.AllDirectories);
    return named;
}
