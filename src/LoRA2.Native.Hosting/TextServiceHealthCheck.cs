using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LoRA2.Native.Hosting;

/// <summary>Whether a service takes calls, and how full its queue is.</summary>
internal sealed class TextServiceHealthCheck(TextService service) : IHealthCheck
{
    /// <summary>Nearly full, in tenths.</summary>
    private const int Full = 9;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        int waiting = service.QueuedTexts;
        var data = new Dictionary<string, object> { ["model"] = service.Name, ["adapters"] = service.Adapters.Count, ["queued_texts"] = waiting };
        HealthCheckResult result = !service.IsOpen
            ? new HealthCheckResult(context.Registration.FailureStatus, $"model '{service.Name}' takes no more calls", data: data)
            : (long)waiting * 10 >= (long)service.MaxQueuedTexts * Full
                ? HealthCheckResult.Degraded($"{waiting:N0} texts wait for model '{service.Name}'; {service.MaxQueuedTexts:N0} may", data: data)
                : HealthCheckResult.Healthy($"model '{service.Name}' takes calls", data);
        return Task.FromResult(result);
    }
}
