// A minimal API of two tenants: one model, an adapter each, by dependency injection. Then a client of it, and the end. The adapters are those that the samples FineTune and Feedback leave.
using System.Net.Http.Json;
using LoRA2.Native.Hosting;
using LoRA2.Native.Hosting.Models;
using LoRA2.Native.Inference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
builder.WebHost.UseUrls("http://127.0.0.1:0");
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.AddLoRA2(options =>
{
    options.ModelFolder = args.Length > 0 ? args[0] : "src/LoRA2.Native.Cli/bin/Release/net10.0/QuickStart/all-minilm-l6-v2";
    options.Adapters["acme"] = args.Length > 1 ? args[1] : "sample-adapter";
    options.Adapters["globex"] = args.Length > 2 ? args[2] : "feedback/adapter";
    options.Threads = 1;     // a processor for each batch, and as many batches at a time as there are processors
});
builder.Services.AddHealthChecks().AddLoRA2();

await using WebApplication app = builder.Build();
app.MapHealthChecks("/health");
app.MapPost("/{tenant}/tickets", async (string tenant, Ticket ticket, TextService service, CancellationToken cancellation) =>
{
    try
    {
        Prediction answer = await service.PredictAsync(ticket.Text, request: new TextRequest { Adapter = tenant }, cancellation: cancellation);
        return Results.Ok(new Answer(answer.Label, answer.Score, answer.Tokens, answer.IsCut));
    }
    catch (UnknownAdapterException e)
    {
        return Results.NotFound(e.Message);
    }
});
await app.StartAsync();

using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
Console.WriteLine($"health: {await client.GetStringAsync("/health")}");
foreach (string tenant in (string[])["acme", "globex", "initech"])
{
    using HttpResponseMessage response = await client.PostAsJsonAsync($"/{tenant}/tickets", new Ticket("The courier never brought my package."));
    Console.WriteLine($"{tenant}: {(response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync<Answer>() : (int)response.StatusCode)}");
}

// A hundred at a time share their batches.
HttpResponseMessage[] many = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => client.PostAsJsonAsync($"/{(i % 2 == 0 ? "acme" : "globex")}/tickets", new Ticket($"Invoice {i} is wrong."))));
Console.WriteLine($"{many.Count(response => response.IsSuccessStatusCode)} of {many.Length} were answered");
await app.StopAsync();

internal sealed record Ticket(string Text);

internal sealed record Answer(string? Label, double Score, int Tokens, bool IsCut);
