using System.IO.Compression;
using System.Net.Http.Headers;
using LoRA2.Native.Encoders;
using LoRA2.Native.Serving.Adapters;
using LoRA2.Native.Serving.Http;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tests.Embeddings;
using LoRA2.Native.Tests.Shared;
using Microsoft.AspNetCore.Http;

namespace LoRA2.Native.Hosting.Tests.Serving;

/// <summary>What is wrong with the server's own files is no fault of the client's, who is told neither where they are nor that the request was wrong; the log is told all.</summary>
public sealed class ServersFaultTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnAdapterWhoseFolderIsNotWhatItWas(bool isGone)
    {
        string adapter = folder.File("0");
        SentenceModel.Copy(TinyTenants.A, adapter);
        var log = new RecordingLog();
        await using RunningServer server = await RunningServer.Start(options => (options.MaxResidentAdapters, options.Adapters["0"]) = (1, adapter), log: log);
        await server.Ask("/predict", """{"inputs": "good", "adapter": "a"}""");
        if (isGone) Directory.Delete(adapter, recursive: true);
        else File.AppendAllText(Path.Combine(adapter, "adapter_config.json"), " ");
        foreach ((string path, string body) in ((string, string)[])[("/predict", """{"inputs": "good", "adapter": "0"}"""), ("/embed", """{"inputs": "good", "adapter": "0"}"""), ("/v1/embeddings", """{"input": "good", "model": "0"}""")])
        {
            log.Exceptions.Clear();
            Assert.Equal((500, "the server failed; its log says how"), await server.Refused(path, body));
            Assert.Contains($"POST {path} failed", log.Lines);
            Assert.Contains(adapter, Assert.Single(log.Exceptions).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task AModelWhoseFilesAreNotThoseThatWereLoaded()
    {
        string model = folder.File("model"), three = OddAdapters.OfThreeLabels(folder);
        SentenceModel.Copy(TinyTenants.Base, model);
        var log = new RecordingLog();
        await using RunningServer server = await RunningServer.Start(options => options.ModelFolder = model, options => (options.ApiKey, options.StateFolder) = ("secret", folder.File("state")), log);
        Assert.Equal(StatusCodes.Status201Created, (int)(await Put(server, three)).StatusCode);
        File.AppendAllText(Path.Combine(model, "config.json"), " ");
        (int status, string error) = await RunningServer.Refusal(await Put(server, three));
        Assert.Equal(500, status);
        Assert.DoesNotContain(folder.Path, error, StringComparison.Ordinal);
        Assert.Contains(log.Exceptions, e => e.InnerException?.Message.Contains($"'{model}'", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task AnUploadThatLacksWhatTheModelLacksNamesNoFolder()
    {
        string model = folder.File("encoder"), headless = OddAdapters.WithoutItsHead(folder);
        Directory.CreateDirectory(model);
        using (SequenceClassifier encoder = SequenceClassifier.FromFolder(TinyTenants.Base, config => config with { Task = new EmbeddingsTask() })) ModelFolder.Save(encoder, TinyTenants.Base, model);
        await using RunningServer server = await RunningServer.Start(
            options =>
            {
                options.ModelFolder = model;
                options.Adapters.Clear();
            },
            options => (options.ApiKey, options.StateFolder) = ("secret", folder.File("state")));
        (int status, string error) = await RunningServer.Refusal(await Put(server, headless));
        Assert.Equal(422, status);
        Assert.Contains("model.safetensors: tensor", error, StringComparison.Ordinal);
        Assert.DoesNotContain(folder.Path, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/zip")]
    [InlineData("application/x-tar")]
    public async Task AnUploadThatCannotBeWritten(string type)
    {
        // Nothing can be written below a file.
        string file = folder.File("file");
        File.WriteAllText(file, "x");
        var request = new DefaultHttpContext().Request;
        request.ContentType = type;
        request.Body = new MemoryStream(type == "application/zip" ? Zip(TinyTenants.A) : Tar(TinyTenants.A));
        ServerException refused = await Assert.ThrowsAsync<ServerException>(() => new AdapterUpload(Path.Combine(file, "version"), 1 << 20).Receive(request, default));
        Assert.Equal(500, refused.Status);
        Assert.DoesNotContain(folder.Path, refused.Message, StringComparison.Ordinal);
        Assert.Contains(folder.Path, refused.InnerException!.Message, StringComparison.Ordinal);
        Assert.True(HttpError.Of(refused, Dialect.Inference).IsFault);
    }

    private static async Task<HttpResponseMessage> Put(RunningServer server, string adapter)
    {
        using var content = new ByteArrayContent(Zip(adapter)) { Headers = { ContentType = new MediaTypeHeaderValue("application/zip") } };
        return await server.Client.PutAsync("/adapters/x", content);
    }

    private static byte[] Zip(string adapter)
    {
        using var bytes = new MemoryStream();
        ZipFile.CreateFromDirectory(adapter, bytes);
        return bytes.ToArray();
    }

    private static byte[] Tar(string adapter)
    {
        using var bytes = new MemoryStream();
        System.Formats.Tar.TarFile.CreateFromDirectory(adapter, bytes, includeBaseDirectory: false);
        return bytes.ToArray();
    }
}
