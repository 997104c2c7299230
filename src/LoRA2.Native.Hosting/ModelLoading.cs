using Microsoft.Extensions.Hosting;

namespace LoRA2.Native.Hosting;

/// <summary>Loads a model when the host starts, rather than in its first request. It ends with the container, after the servers that ask it.</summary>
internal sealed class ModelLoading(Func<TextService> load) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.Run(load, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
