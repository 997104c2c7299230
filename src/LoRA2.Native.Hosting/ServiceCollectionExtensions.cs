using System.Diagnostics.Metrics;
using LoRA2.Native.Hosting;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Models with adapters as services of an app.</summary>
public static class LoRA2ServiceCollectionExtensions
{
    /// <summary>
    /// Adds a <see cref="TextService"/>, and an <see cref="IEmbeddingGenerator{String, Embedding}"/> over it. The model is loaded when the host starts, which fails with a sentence where it
    /// cannot be; when the container is disposed of, what was taken is answered first.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets the options; they may come from <c>services.Configure&lt;LoRA2Options&gt;(section)</c> too.</param>
    public static IServiceCollection AddLoRA2(this IServiceCollection services, Action<LoRA2Options>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        Add(services, Options.Options.DefaultName, configure);
        services.TryAddSingleton(provider => Load(provider, Options.Options.DefaultName));
        services.TryAddSingleton<IEmbeddingGenerator<string, Embedding<float>>>(static provider => new QueuedEmbeddingGenerator(provider.GetRequiredService<TextService>()));
        services.AddSingleton<IHostedService>(static provider => new ModelLoading(() => provider.GetRequiredService<TextService>()));
        return services;
    }

    /// <summary>The same under a key, for apps of several models: <c>[FromKeyedServices("intents")] TextService service</c>.</summary>
    /// <param name="services">The services.</param>
    /// <param name="key">The services' key and the options' name; what the model is called where the options don't say.</param>
    /// <param name="configure">Sets the options.</param>
    public static IServiceCollection AddLoRA2(this IServiceCollection services, string key, Action<LoRA2Options>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(key);
        Add(services, key, configure);
        services.PostConfigure<LoRA2Options>(key, options => options.ModelName ??= key);
        services.TryAddKeyedSingleton(key, static (provider, name) => Load(provider, (string)name!));
        services.TryAddKeyedSingleton<IEmbeddingGenerator<string, Embedding<float>>>(key, static (provider, name) => new QueuedEmbeddingGenerator(provider.GetRequiredKeyedService<TextService>(name)));
        services.AddSingleton<IHostedService>(provider => new ModelLoading(() => provider.GetRequiredKeyedService<TextService>(key)));
        return services;
    }

    /// <summary>Adds a check of a <see cref="TextService"/>: unhealthy when it takes no calls, degraded when its queue is nearly full.</summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="key">The service's key, or null for the one without.</param>
    /// <param name="name">The check's name.</param>
    /// <param name="tags">The check's tags.</param>
    public static IHealthChecksBuilder AddLoRA2(this IHealthChecksBuilder builder, string? key = null, string name = "lora2", IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return builder.Add(new HealthCheckRegistration(name, provider => new TextServiceHealthCheck(key is null ? provider.GetRequiredService<TextService>() : provider.GetRequiredKeyedService<TextService>(key)), null, tags));
    }

    private static void Add(IServiceCollection services, string name, Action<LoRA2Options>? configure)
    {
        OptionsBuilder<LoRA2Options> options = services.AddOptions<LoRA2Options>(name).ValidateOnStart();
        if (configure is not null) options.Configure(configure);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<LoRA2Options>, LoRA2OptionsValidator>());
    }

    private static TextService Load(IServiceProvider provider, string name) =>
        TextService.Load(provider.GetRequiredService<IOptionsMonitor<LoRA2Options>>().Get(name), provider.GetService<ILoggerFactory>(), provider.GetService<IMeterFactory>());
}
