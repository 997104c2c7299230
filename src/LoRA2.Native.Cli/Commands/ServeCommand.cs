using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Files;
using LoRA2.Native.Hosting;
using LoRA2.Native.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace LoRA2.Native.Cli.Commands;

/// <summary><c>lora2 serve</c>: a model and its adapters over HTTP.</summary>
internal static class ServeCommand
{
    /// <summary>The environment variable of the server's key.</summary>
    private const string KeyVariable = "LORA2_API_KEY";

    public static Command Create(StandardStreams streams)
    {
        Option<string?> model = ModelLocation.ModelOption();
        var name = new Option<string?>("--name") { Description = "what the model is called [its folder's name]", HelpName = "NAME" };
        var adapters = new Option<string[]>("--adapter") { Description = $"an adapter and what requests call it; can be given several times [./{ModelLocation.DefaultFolder} when neither --model nor --adapter is given]", HelpName = "NAME=DIR" };
        Option<string?> pooling = PoolingOption.Create("how tokens become one vector; makes vectors of a classifier too [what the folder says, else mean]");
        var urls = new Option<string[]>("--urls") { Description = $"where to listen; can be given several times [{LoRA2Server.DefaultUrl}]", HelpName = "URL" };
        var keyFile = new Option<string?>("--api-key-file") { Description = $"a file with the key that requests have to bring as Authorization: Bearer KEY [the environment variable {KeyVariable}, else none]", HelpName = "FILE" };
        var state = new Option<string?>("--state") { Description = "where uploaded adapters are kept; without it none can be uploaded", HelpName = "DIR" };
        Option<int?> resident = NumberOption.Int("--max-resident", "adapters in memory at a time; the others are read from their folders when they are asked for [all]", 1);
        Option<int?> threads = NumberOption.Int("--threads", "threads that compute one batch; as many batches are computed at a time as the processors have room for [LORA2_THREADS, else 1]", 1, 1024);
        Option<int?> batchTokens = NumberOption.Int("--max-batch-tokens", "tokens of one batch, padding counted [1024]", 1);
        Option<int?> queue = NumberOption.Int("--max-queue", "texts that may wait; then requests are answered 429 [4096]", 1);
        Option<int?> texts = NumberOption.Int("--max-texts", "texts of one request [512]", 1);
        Option<int?> body = NumberOption.Int("--max-body", "bytes of one request, uploads excepted [2000000]", 1);
        Option<double?> deadline = NumberOption.Real("--deadline", "seconds after which a request that was not answered is refused [60]", 0.001, 86400);
        Option<int?> maxLength = MaxLengthOption.Create();
        Option<string?> precision = PrecisionOption.Create(usual: "bfloat16x3, which is float32 without AMX");
        var command = new ExampleCommand(
            "serve",
            "Answers over HTTP: OpenAI's /v1/embeddings and /v1/models, Text Embeddings Inference's /embed, /predict, /rerank, /tokenize, /info, /health and /metrics, adapters that are put and deleted under /adapters, the OpenAPI document /openapi.json, and a page to try it at /. Only this machine can reach it unless --urls says otherwise; on SIGTERM what was taken is answered.",
            "lora2 serve --model all-MiniLM-L6-v2",
            "lora2 serve --model bert-base --adapter acme=adapters/acme --adapter globex=adapters/globex",
            "lora2 serve --model bert-base --state state --api-key-file key.txt --urls http://0.0.0.0:5080")
        {
            model, name, adapters, pooling, urls, keyFile, state, resident, threads, batchTokens, queue, texts, body, deadline, maxLength, precision,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            (string folder, IReadOnlyDictionary<string, string> named) = Locate(parsed.GetValue(model), parsed.GetValue(adapters) ?? []);
            string? key = KeyOf(parsed.GetValue(keyFile));
            string[] addresses = [.. (parsed.GetValue(urls) ?? []).SelectMany(url => url.Split(';', StringSplitOptions.RemoveEmptyEntries))];
            void Configure(LoRA2Options options)
            {
                options.ModelFolder = folder;
                options.ModelName = parsed.GetValue(name);
                foreach ((string adapter, string place) in named) options.Adapters[adapter] = place;
                if (parsed.GetValue(pooling) is { } way) options.Pooling = PoolingNames.Named(way);
                options.MaxLength = parsed.GetValue(maxLength);
                if (parsed.GetValue(precision) is { } products) options.Precision = PrecisionOption.Parse(products);
                options.MaxResidentAdapters = parsed.GetValue(resident);
                options.MaxBatchTokens = parsed.GetValue(batchTokens) ?? options.MaxBatchTokens;
                options.MaxQueuedTexts = parsed.GetValue(queue) ?? options.MaxQueuedTexts;
                if (parsed.GetValue(deadline) is { } seconds) options.Deadline = TimeSpan.FromSeconds(seconds);
                options.Threads = parsed.GetValue(threads) ?? (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("LORA2_THREADS")) ? 1 : null);
            }

            var server = new ServerOptions { ApiKey = key, StateFolder = parsed.GetValue(state) };
            server.MaxTexts = parsed.GetValue(texts) ?? server.MaxTexts;
            server.MaxBodyBytes = parsed.GetValue(body) ?? server.MaxBodyBytes;
            await using WebApplication app = LoRA2Server.Create(Configure, server, addresses, logging =>
            {
                logging.AddSimpleConsole(console => console.SingleLine = true);
                // Standard output has what was asked for: where the server is.
                logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
            });
            try
            {
                await app.StartAsync(cancellation);
            }
            catch (OptionsValidationException e)
            {
                throw new InputException(e.Failures.First(), e);
            }

            foreach (string url in app.Urls)
            {
                streams.Output.WriteLine($"serving {app.Services.GetRequiredService<TextService>().Name} at {url}");
                if (key is null && !LoRA2Server.IsLoopback(url)) streams.Error.WriteLine($"lora2: note: {url} can be reached from other machines, and there is no key: --api-key-file or {KeyVariable} sets one");
            }

            using CancellationTokenRegistration stop = streams.Cancellation.Register(app.Lifetime.StopApplication);
            await app.WaitForShutdownAsync(cancellation);
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>The model's folder and the adapters' by name.</summary>
    private static (string Model, IReadOnlyDictionary<string, string> Adapters) Locate(string? model, string[] given)
    {
        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string one in given)
        {
            int equals = one.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || equals == one.Length - 1) throw new InputException($"--adapter is {Quote.Name(one)}; NAME=DIR was expected");
            if (!named.TryAdd(one[..equals], one[(equals + 1)..])) throw new InputException($"two adapters are called {Quote.Name(one[..equals])}");
        }

        if (model is null && named.Count == 0)
        {
            ModelLocation found = ModelLocation.Find(null, null);
            if (found.Adapter is not null) named[ModelLocation.DefaultFolder] = found.Adapter;
            return (found.Model, named);
        }

        return (ModelLocation.Find(model, named.Values.FirstOrDefault()).Model, named);
    }

    private static string? KeyOf(string? file)
    {
        string? key = file is null ? Environment.GetEnvironmentVariable(KeyVariable) : Read(file);
        if (string.IsNullOrEmpty(key)) return file is null ? null : throw new InputException($"{file}: the file is empty; a key was expected");
        return key.Any(static c => c is < '!' or > '~') ? throw new InputException($"{file ?? KeyVariable}: the key has a space or a character that no header can carry") : key;
    }

    private static string Read(string file)
    {
        RegularFile.Require(file);
        try
        {
            return new FileInfo(file).Length <= 4096 ? File.ReadAllText(file, Encoding.UTF8).Trim() : throw new InputException($"{file}: the file is larger than a key");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{file}: the file can't be read ({e.Message.TrimEnd('.')})", e);
        }
    }
}
