using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using LoRA2.Native.Files;
using LoRA2.Native.Serving.Adapters;
using LoRA2.Native.Tests.Embeddings;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Hosting.Tests.Serving;

public sealed class AdapterRoutesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private string State => folder.File("state");

    [Fact]
    public async Task AdaptersAreUploadedReplacedDeletedAndKept()
    {
        double ofA, ofB;
        await using (RunningServer server = await Start())
        {
            ofA = await Score(server, "a");
            ofB = await Score(server, "b");
            Assert.Equal(HttpStatusCode.Created, await Put(server, "new", Zip(Files(TinyTenants.A)), "application/zip"));
            Assert.Equal(ofA, await Score(server, "new"), 1e-6);
            Assert.Equal(HttpStatusCode.OK, await Put(server, "new", Tar(Files(TinyTenants.B), "./"), "application/x-tar"));
            Assert.Equal(ofB, await Score(server, "new"), 1e-6);
            Assert.Equal(HttpStatusCode.OK, await Put(server, "new", Gzip(Tar(Files(TinyTenants.A))), "application/gzip"));
            Assert.Equal(ofA, await Score(server, "new"), 1e-6);
            using var form = new MultipartFormDataContent();
            foreach ((string name, byte[] bytes) in Files(TinyTenants.B)) form.Add(new ByteArrayContent(bytes), name, name);
            using (HttpResponseMessage answer = await server.Client.PutAsync("/adapters/form", form)) Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
            Assert.Equal(ofB, await Score(server, "form"), 1e-6);
            JsonElement listed = await server.Ask("/adapters");
            Assert.Equal(["a", "b", "form", "new"], listed.EnumerateArray().Select(entry => entry.GetProperty("name").GetString()!));
            Assert.Equal(["neg", "pos"], listed[2].GetProperty("labels").EnumerateArray().Select(label => label.GetString()!));
            Assert.Equal(HttpStatusCode.NoContent, (await server.Client.DeleteAsync("/adapters/form")).StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, (await server.Client.DeleteAsync("/adapters/form")).StatusCode);
            Assert.Single(Directory.GetDirectories(Path.Combine(State, "adapters", "new")));
        }

        await using (RunningServer again = await Start())
        {
            Assert.Equal(["a", "b", "new"], again.Service.Adapters);
            Assert.Equal(ofA, await Score(again, "new"), 1e-6);
            // One server has the folder at a time.
            await Assert.ThrowsAsync<InputException>(() => Start());
        }
    }

    [Fact]
    public async Task NamesThatLeaveTheFolderRefuseTheWhole()
    {
        await using RunningServer server = await Start();
        foreach (string name in (string[])["../adapter_config.json", "/tmp/adapter_config.json", "a/../../adapter_config.json", "..\\adapter_config.json", "C:adapter_config.json", "./../x"])
        {
            (string, byte[])[] files = [.. Files(TinyTenants.A), (name, "x"u8.ToArray())];
            await Refused(server, Zip(files), "application/zip", 422, "no plain file inside it");
            await Refused(server, Tar(files), "application/x-tar", 422, "no plain file inside it");
            using var form = new MultipartFormDataContent { { new ByteArrayContent([1]), "file", name.Replace('\\', '/') } };
            (int status, _) = await RunningServer.Refusal(await server.Client.PutAsync("/adapters/x", form));
            Assert.Equal(422, status);
            NothingIsLeft(server);
        }
    }

    [Fact]
    public async Task LinksDamageSizesAndStrangersAreRefused()
    {
        await using RunningServer server = await Start(most: 200_000);
        (string Name, byte[] Bytes)[] files = Files(TinyTenants.A);
        using (var tar = new MemoryStream())
        {
            using (var writer = new TarWriter(tar, leaveOpen: true)) writer.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "adapter_model.safetensors") { LinkName = "/etc/passwd" });
            await Refused(server, tar.ToArray(), "application/x-tar", 422, "no plain file inside it");
        }

        using (var zip = new MemoryStream())
        {
            using (var archive = new ZipArchive(zip, ZipArchiveMode.Create, leaveOpen: true)) archive.CreateEntry("adapter_config.json").ExternalAttributes = unchecked((int)0xA1FF0000);
            await Refused(server, zip.ToArray(), "application/zip", 422, "no plain file inside it");
        }

        await Refused(server, Zip([files[0]]), "application/zip", 422, "the upload has no");
        await Refused(server, Zip([.. files, files[0]]), "application/zip", 422, "twice");
        await Refused(server, Zip([("adapter_config.json", "{"u8.ToArray()), files.Single(file => file.Name.EndsWith("safetensors", StringComparison.Ordinal))]), "application/zip", 422, "adapter_config.json");
        await Refused(server, Zip([files.Single(file => file.Name == "adapter_config.json"), ("adapter_model.safetensors", new byte[50])]), "application/zip", 422, "adapter_model.safetensors");
        byte[] good = Zip(files);
        await Refused(server, good[..(good.Length / 2)], "application/zip", 422, "damaged");
        await Refused(server, Gzip(Tar(files))[..300], "application/gzip", 422, "");
        await Refused(server, [1, 2, 3], "application/x-tar", 422, "");
        await Refused(server, Zip([.. files, ("big.bin", new byte[300_000])]), "application/zip", 413, "larger than");
        await Refused(server, Gzip(Tar([.. files, ("big.bin", new byte[300_000])])), "application/gzip", 413, "larger than");
        await Refused(server, good, "text/plain", 415, "multipart/form-data");
        foreach (string name in (string[])["..", "a%2Fb", "%2e%2e%2fx", "-x", "tiny", new string('n', 65), "a b"])
        {
            using HttpResponseMessage answer = await server.Client.PutAsync($"/adapters/{name}", new ByteArrayContent(good) { Headers = { ContentType = new MediaTypeHeaderValue("application/zip") } });
            Assert.True((int)answer.StatusCode is 422 or 404 or 405, $"{name}: {answer.StatusCode}");
        }

        NothingIsLeft(server);
        Assert.Equal(HttpStatusCode.Created, await Put(server, "x", good, "application/zip"));
    }

    [Fact]
    public async Task WithoutAStateFolderNothingIsUploaded()
    {
        await using RunningServer server = await RunningServer.Start(server: options => options.ApiKey = "secret");
        await Refused(server, Zip(Files(TinyTenants.A)), "application/zip", 403, "--state");
    }

    [Fact]
    public async Task WhatTheServerDidNotMakeStays()
    {
        string mine = Path.Combine(State, "adapters", "mine"), run = Path.Combine(State, "adapters", "runs", "checkpoint-1", "file");
        SentenceModel.Copy(TinyTenants.A, mine);
        Directory.CreateDirectory(Path.GetDirectoryName(run)!);
        File.WriteAllText(run, "x");
        File.WriteAllText(Path.Combine(State, "adapters", "runs", "current"), "x");
        // Whole as a version that was kept, under a name that no adapter has.
        string odd = Path.Combine(State, "adapters", "of mine"), version = Guid.NewGuid().ToString("N"), left = Path.Combine(odd, Guid.NewGuid().ToString("N"));
        SentenceModel.Copy(TinyTenants.A, Path.Combine(odd, version));
        Directory.CreateDirectory(left);
        File.WriteAllText(Path.Combine(odd, "current"), version);
        await using RunningServer server = await Start();
        Assert.True(Directory.Exists(left));
        Assert.Equal(["a", "b"], server.Service.Adapters);
        Assert.Equal(HttpStatusCode.NotFound, (await server.Client.DeleteAsync("/adapters/mine")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await server.Client.DeleteAsync("/adapters/runs")).StatusCode);
        Assert.Equal(HttpStatusCode.Created, await Put(server, "mine", Zip(Files(TinyTenants.B)), "application/zip"));
        Assert.Equal(HttpStatusCode.OK, await Put(server, "mine", Zip(Files(TinyTenants.B)), "application/zip"));
        Assert.Equal(HttpStatusCode.NoContent, (await server.Client.DeleteAsync("/adapters/mine")).StatusCode);
        Assert.Equal(Files(TinyTenants.A).Select(file => file.Name).Order(), Directory.GetFileSystemEntries(mine).Select(Path.GetFileName).Order());
        Assert.Equal(["current", Path.Combine("checkpoint-1", "file")], Directory.GetFiles(Path.Combine(State, "adapters", "runs"), "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Path.Combine(State, "adapters", "runs"), file)));
    }

    [Fact]
    public async Task AnAdapterOfAnotherBaseSaysSo()
    {
        await using RunningServer server = await Start();
        using var content = new ByteArrayContent(Zip(Files(OddAdapters.OfAnotherBase(folder)))) { Headers = { ContentType = new MediaTypeHeaderValue("application/zip") } };
        using HttpResponseMessage answer = await server.Client.PutAsync("/adapters/x", content);
        JsonElement put = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement, listed = await server.Ask("/adapters");
        string[] expected = ["adapter_config.json: fields that mean nothing here were ignored: colour", "adapter_model.safetensors: the adapter was trained on a base model with other weights"];
        Assert.Equal(expected, put.GetProperty("warnings").EnumerateArray().Select(warning => warning.GetString()!));
        Assert.Equal(expected, listed[2].GetProperty("warnings").EnumerateArray().Select(warning => warning.GetString()!));
        Assert.Empty(listed[0].GetProperty("warnings").EnumerateArray());
    }

    [Fact]
    public async Task AnAdapterThatCannotBeKeptStillAnswers()
    {
        // Nothing can be written where a folder is.
        string blocked = Path.Combine(State, "adapters", "x", "current", "file");
        Directory.CreateDirectory(Path.GetDirectoryName(blocked)!);
        File.WriteAllText(blocked, "x");
        await using RunningServer server = await RunningServer.Start(model => model.MaxResidentAdapters = 1, options => (options.ApiKey, options.StateFolder) = ("secret", State));
        using var content = new ByteArrayContent(Zip(Files(TinyTenants.A))) { Headers = { ContentType = new MediaTypeHeaderValue("application/zip") } };
        using HttpResponseMessage answer = await server.Client.PutAsync("/adapters/x", content);
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Contains("answers from now on, but could not be kept", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(["a", "b", "x"], server.Service.Adapters);
        double ofA = await Score(server, "a");
        Assert.Equal(ofA, await Score(server, "x"), 1e-6);
    }

    [Fact]
    public void AProcessThatWasKilledLeavesTheOldVersionOrTheNewOne()
    {
        using (var store = new AdapterStore(State))
        {
            string first = store.Begin("a");
            File.WriteAllText(Path.Combine(first, "file"), "1");
            AdapterStore.Keep(first);
            // A second version that was never kept, and a name that had none.
            store.Begin("a");
            store.Begin("b");
        }

        using (var store = new AdapterStore(State))
        {
            (string name, string kept) = Assert.Single(store.All);
            Assert.Equal(("a", "1"), (name, File.ReadAllText(Path.Combine(kept, "file"))));
            Assert.Equal(["a"], Directory.GetDirectories(Path.Combine(State, "adapters")).Select(Path.GetFileName));
            Assert.Single(Directory.GetDirectories(Path.Combine(State, "adapters", "a")));
            File.WriteAllText(Path.Combine(State, "adapters", "a", "current"), "../../../../etc/../../../../../x");
        }

        using (var store = new AdapterStore(State)) Assert.Empty(store.All);
    }

    private void NothingIsLeft(RunningServer server)
    {
        Assert.Equal(["a", "b"], server.Service.Adapters);
        Assert.Equal([Path.Combine(State, "lock")], Directory.GetFiles(State, "*", SearchOption.AllDirectories));
        Assert.Empty(Directory.GetDirectories(Path.Combine(State, "adapters")));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    private Task<RunningServer> Start(long most = 1 << 20) => RunningServer.Start(server: options => (options.ApiKey, options.StateFolder, options.MaxUploadBytes) = ("secret", State, most));

    private static async Task<double> Score(RunningServer server, string adapter) =>
        (await server.Ask("/predict", $$"""{"inputs": "a good film", "adapter": "{{adapter}}", "raw_scores": true}"""))[0].GetProperty("score").GetDouble();

    private static async Task<HttpStatusCode> Put(RunningServer server, string name, byte[] body, string type)
    {
        using HttpResponseMessage answer = await server.Client.PutAsync($"/adapters/{name}", new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(type) } });
        return answer.StatusCode;
    }

    private static async Task Refused(RunningServer server, byte[] body, string type, int status, string part)
    {
        using var content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
        (int found, string error) = await RunningServer.Refusal(await server.Client.PutAsync("/adapters/x", content));
        Assert.Equal(status, found);
        Assert.Contains(part, error, StringComparison.Ordinal);
        Assert.DoesNotContain("state", error.Replace("--state", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private static (string Name, byte[] Bytes)[] Files(string adapter) => [.. Directory.GetFiles(adapter).Select(file => (Path.GetFileName(file), File.ReadAllBytes(file)))];

    private static byte[] Zip(IEnumerable<(string Name, byte[] Bytes)> files)
    {
        using var bytes = new MemoryStream();
        using (var archive = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, byte[] content) in files)
            {
                using Stream entry = archive.CreateEntry(name).Open();
                entry.Write(content);
            }
        }

        return bytes.ToArray();
    }

    private static byte[] Tar(IEnumerable<(string Name, byte[] Bytes)> files, string before = "")
    {
        using var bytes = new MemoryStream();
        using (var writer = new TarWriter(bytes, leaveOpen: true))
        {
            if (before.Length > 0) writer.WriteEntry(new PaxTarEntry(TarEntryType.Directory, before));
            foreach ((string name, byte[] content) in files) writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, before + name) { DataStream = new MemoryStream(content) });
        }

        return bytes.ToArray();
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(bytes);
        return packed.ToArray();
    }
}
