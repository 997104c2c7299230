using System.Net;
using LoRA2.Native.Files;
using LoRA2.Native.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LoRA2.Native.Serving;

/// <summary>A server of one model and its adapters: what <c>lora2 serve</c> runs.</summary>
public static class LoRA2Server
{
    /// <summary>Where a server listens when nobody says: this machine alone can reach it.</summary>
    public const string DefaultUrl = "http://127.0.0.1:5080";

    /// <summary>Makes a server, which is not started yet.</summary>
    /// <param name="model">Sets what is loaded.</param>
    /// <param name="options">What is let in.</param>
    /// <param name="urls">Where it listens, as <c>http://ADDRESS:PORT</c>; port 0 takes a free one. None for <see cref="DefaultUrl"/>.</param>
    /// <param name="logging">Sets where it logs; null for the console.</param>
    /// <exception cref="InputException">An address is none.</exception>
    public static WebApplication Create(Action<LoRA2Options> model, ServerOptions options, IReadOnlyList<string>? urls = null, Action<ILoggingBuilder>? logging = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        string[] addresses = urls is { Count: > 0 } ? [.. urls] : [DefaultUrl];
        foreach (string address in addresses) RequireAddress(address);
        // Nothing is read from where the server happens to be started.
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, EnvironmentName = Environments.Production });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection();
        builder.WebHost.UseUrls(addresses);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
        });
        builder.Logging.ClearProviders();
        if (logging is not null) logging(builder.Logging);
        else builder.Logging.AddSimpleConsole(static console => console.SingleLine = true);
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("LoRA2.Native", LogLevel.Information)
            // Why a start failed is thrown to whoever starts it.
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        builder.Services.AddLoRA2(model);
        builder.Services.AddLoRA2Routes(options);
        WebApplication app = builder.Build();
        app.MapLoRA2();
        return app;
    }

    /// <summary>Whether an address can be reached from this machine alone.</summary>
    public static bool IsLoopback(string url)
    {
        ArgumentNullException.ThrowIfNull(url);
        string host = new Uri(url).Host.Trim('[', ']');
        return host == "localhost" || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));
    }

    private static void RequireAddress(string address)
    {
        if (Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && uri.Scheme == Uri.UriSchemeHttp && uri.PathAndQuery == "/" && uri.UserInfo.Length == 0) return;
        string why = uri?.Scheme == Uri.UriSchemeHttps ? "; for https put a proxy before it" : "";
        throw new InputException($"{Quote.Name(address)} is no address to listen at; http://ADDRESS:PORT was expected{why}");
    }
}
