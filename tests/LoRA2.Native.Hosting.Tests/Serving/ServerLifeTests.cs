using System.Net.Sockets;
using System.Text;
using LoRA2.Native.Files;
using LoRA2.Native.Serving;
using LoRA2.Native.Serving.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoRA2.Native.Hosting.Tests.Serving;

/// <summary>Shutdown, and clients that go away.</summary>
public sealed class ServerLifeTests
{
    [Fact]
    public async Task AStopAnswersWhatWasTaken()
    {
        await using RunningServer server = await RunningServer.Start(options => options.MaxBatchTokens = 1);
        string body = $$"""{"inputs": [{{string.Join(", ", Enumerable.Repeat("[\"good film bad film a good one\"]", 100))}}]}""";
        Task<HttpResponseMessage>[] calls = [.. Enumerable.Range(0, 4).Select(_ => server.Post("/predict", body))];
        while (server.Service.QueuedTexts == 0 && !calls.All(call => call.IsCompleted)) await Task.Delay(1);
        Task stop = server.App.StopAsync();
        int answered = 0;
        foreach (Task<HttpResponseMessage> call in calls)
        {
            try
            {
                using HttpResponseMessage answer = await call;
                Assert.True(answer.IsSuccessStatusCode, answer.StatusCode.ToString());
                answered++;
            }
            catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConnectionError)
            {
                // It came after the stop, and was not taken.
            }
        }

        await stop;
        Assert.True(answered > 0);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => server.Post("/predict", """{"inputs": "good"}"""));
    }

    [Fact]
    public async Task ClientsThatGoAwayUnderLoadLeaveTheOthersTheirAnswers()
    {
        await using RunningServer server = await RunningServer.Start(options => options.MaxBatchTokens = 16);
        using var stop = new CancellationTokenSource();
        Task<int> steady = Task.Run(async () =>
        {
            int answers = 0;
            while (!stop.IsCancellationRequested)
            {
                await server.Ask("/predict", """{"inputs": "a good film", "adapter": "a"}""");
                answers++;
            }

            return answers;
        });
        string body = $$"""{"inputs": [{{string.Join(", ", Enumerable.Repeat("[\"good film bad film a good one\"]", 50))}}]}""";
        byte[] request = Encoding.ASCII.GetBytes($"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        var random = new Random(1);
        for (int i = 0; i < 200; i++)
        {
            using var rude = new TcpClient();
            await rude.ConnectAsync("127.0.0.1", server.Client.BaseAddress!.Port);
            // Some go before they have said all.
            await rude.GetStream().WriteAsync(request.AsMemory(0, random.Next(2) == 0 ? request.Length : random.Next(request.Length)));
            if (random.Next(2) == 0) await Task.Delay(random.Next(3));
            rude.LingerState = new LingerOption(true, 0);
        }

        await stop.CancelAsync();
        Assert.True(await steady > 0);
        for (int i = 0; i < 400 && server.Service.QueuedTexts > 0; i++) await Task.Delay(10);
        Assert.Equal(0, server.Service.QueuedTexts);
        await server.Ask("/predict", """{"inputs": "good"}""");
    }

    [Fact]
    public async Task AnAnswerThatHasBegunKeepsItsStatus()
    {
        await using TextService service = TinyTenants.Load();
        var endpoint = new ModelEndpoint(service, new ServerOptions(), NullLogger<ModelEndpoint>.Instance);
        var context = new DefaultHttpContext { RequestAborted = new CancellationToken(true) };
        await endpoint.Handle(context, Dialect.Inference, Access.Open, static (_, _) => throw new IOException());
        Assert.Equal(StatusCodes.Status499ClientClosedRequest, context.Response.StatusCode);
        context.Features.Set<IHttpResponseFeature>(new Begun());
        await endpoint.Handle(context, Dialect.Inference, Access.Open, static (_, _) => throw new IOException());
        Assert.Equal(StatusCodes.Status200OK, context.Response.StatusCode);
    }

    [Theory]
    [InlineData("https://127.0.0.1:1")]
    [InlineData("127.0.0.1:5080")]
    [InlineData("http://127.0.0.1/path")]
    [InlineData("")]
    public void WhatIsNoAddressIsRefused(string url) => Assert.Throws<InputException>(() => LoRA2Server.Create(_ => { }, new ServerOptions(), [url]));

    [Fact]
    public void LoopbackIsThisMachineAlone()
    {
        Assert.All((string[])["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"], url => Assert.True(LoRA2Server.IsLoopback(url)));
        Assert.All((string[])["http://0.0.0.0:1", "http://10.0.0.1:1", "http://[::]:1", "http://host:1"], url => Assert.False(LoRA2Server.IsLoopback(url)));
    }

    /// <summary>Refuses what Kestrel refuses.</summary>
    private sealed class Begun : HttpResponseFeature, IHttpResponseFeature
    {
        public override bool HasStarted => true;

        int IHttpResponseFeature.StatusCode
        {
            get => StatusCode;
            set => throw new InvalidOperationException();
        }
    }
}
