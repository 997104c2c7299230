using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using LoRA2.Native.Serving;
using LoRA2.Native.Tensors;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LoRA2.Native.Hosting.Tests.Serving;

/// <summary>A server of the tiny model on a free port of the loopback, and a client of it.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private RunningServer(WebApplication app, string? key)
    {
        App = app;
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        if (key is not null) Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public WebApplication App { get; }

    public HttpClient Client { get; }

    public TextService Service => App.Services.GetRequiredService<TextService>();

    public static async Task<RunningServer> Start(Action<LoRA2Options>? model = null, Action<ServerOptions>? server = null, ILoggerProvider? log = null)
    {
        var options = new ServerOptions();
        server?.Invoke(options);
        WebApplication app = LoRA2Server.Create(
            given =>
            {
                given.ModelFolder = TinyTenants.Base;
                given.ModelName = "tiny";
                given.Adapters["a"] = TinyTenants.A;
                given.Adapters["b"] = TinyTenants.B;
                given.Workers = 2;
                given.Precision = Precision.Float32;
                model?.Invoke(given);
            },
            options, ["http://127.0.0.1:0"], logging =>
            {
                if (log is not null) logging.AddProvider(log);
            });
        await app.StartAsync();
        return new RunningServer(app, options.ApiKey);
    }

    public Task<HttpResponseMessage> Post(string path, string json) => Client.PostAsync(path, new StringContent(json, Encoding.UTF8, "application/json"));

    /// <summary>The answer to a request that succeeds.</summary>
    public async Task<JsonElement> Ask(string path, string? json = null)
    {
        using HttpResponseMessage answer = json is null ? await Client.GetAsync(path) : await Post(path, json);
        string body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode} {body}");
        return JsonDocument.Parse(body).RootElement;
    }

    /// <summary>The status and the sentence that a request is refused with.</summary>
    public async Task<(int Status, string Error)> Refused(string path, string json) => await Refusal(await Post(path, json));

    public static async Task<(int Status, string Error)> Refusal(HttpResponseMessage answer)
    {
        using (answer)
        {
            string body = await answer.Content.ReadAsStringAsync();
            Assert.False(answer.IsSuccessStatusCode, body);
            JsonElement error = JsonDocument.Parse(body).RootElement.GetProperty("error");
            return ((int)answer.StatusCode, (error.ValueKind == JsonValueKind.String ? error : error.GetProperty("message")).GetString()!);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await App.DisposeAsync();
    }
}
