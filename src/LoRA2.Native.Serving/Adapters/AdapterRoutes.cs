using LoRA2.Native.Files;
using LoRA2.Native.Hosting;
using LoRA2.Native.Hosting.Models;
using LoRA2.Native.Inference;
using LoRA2.Native.Serving.Http;
using LoRA2.Native.Tasks.Kinds;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LoRA2.Native.Serving.Adapters;

/// <summary>An adapter that answers.</summary>
internal sealed record AdapterEntry(string Name, bool Predicts, bool Embeds, string Task, IReadOnlyList<string>? Labels, string Method, int MaxLength, long Bytes, bool Resident, IReadOnlyList<string> Warnings);

/// <summary><c>GET /adapters</c>, <c>PUT /adapters/{name}</c> and <c>DELETE /adapters/{name}</c>; at the start, those that were kept.</summary>
internal sealed partial class AdapterRoutes(TextService service, ServerOptions options, ILogger<AdapterRoutes> logger) : IHostedService, IDisposable
{
    // Changes come one after the other; answers do not wait for them.
    private readonly SemaphoreSlim changing = new(1);
    private AdapterStore? store;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.StateFolder is null) return;
        store = new AdapterStore(options.StateFolder);
        foreach ((string name, string folder) in store.All)
        {
            try
            {
                await service.PutAdapterAsync(name, folder, cancellationToken);
            }
            catch (InputException e)
            {
                // One that does not fit the model any more must not keep the others from answering.
                Skipped(logger, name, e.Message);
            }
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        store?.Dispose();
        changing.Dispose();
    }

    public Task List(HttpContext context, ModelEndpoint endpoint)
    {
        return JsonBody.Write(context, [.. service.Hosted.Select(Entry)], ServerJson.Wire.AdapterEntryArray);
    }

    public async Task Put(HttpContext context, ModelEndpoint endpoint)
    {
        string name = (string)context.Request.RouteValues["name"]!;
        if (!AdapterNames.IsName(name)) throw TextInputs.Wrong($"an adapter was to be called {Quote.Name(name)}; {AdapterNames.Rule} was expected");
        if (store is null) throw new ServerException(StatusCodes.Status403Forbidden, "this server keeps no adapters: start it with --state DIR");
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = options.MaxUploadBytes + (1 << 20);
        bool replaces;
        AdapterEntry entry;
        await changing.WaitAsync(context.RequestAborted);
        try
        {
            if (service.Adapters.Count >= options.MaxAdapters && !service.Adapters.Contains(name))
                throw new ServerException(StatusCodes.Status413PayloadTooLarge, $"there are {service.Adapters.Count:N0} adapters already; {options.MaxAdapters:N0} can be");
            string version = store.Begin(name);
            try
            {
                await new AdapterUpload(version, options.MaxUploadBytes).Receive(context.Request, context.RequestAborted);
                replaces = await service.PutAdapterAsync(name, version, context.RequestAborted);
                entry = Entry(service.Hosted.First(adapter => adapter.Name == name));
            }
            catch (Exception e)
            {
                AdapterStore.Drop(version);
                if (e is not InputException) throw;
                if (!service.HasItsFiles) throw new ServerException(StatusCodes.Status500InternalServerError, "the model's files are not those that the server has loaded: it has to be started again; the server's log says more", e);
                // The folders are the server's, and no business of the client's.
                throw TextInputs.Wrong(Without(service.ModelFolder, "the model", Without(version, "the upload", e.Message)));
            }

            try
            {
                AdapterStore.Keep(version);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Its files stay while it answers: it may be put out of memory and be read again.
                throw new ServerException(StatusCodes.Status500InternalServerError, $"adapter {Quote.Name(name)} answers from now on, but could not be kept: after a restart all is as it was before; the server's log says why", e);
            }
        }
        finally
        {
            changing.Release();
        }

        context.Response.StatusCode = replaces ? StatusCodes.Status200OK : StatusCodes.Status201Created;
        await JsonBody.Write(context, entry, ServerJson.Wire.AdapterEntry);
    }

    public async Task Delete(HttpContext context, ModelEndpoint endpoint)
    {
        string name = (string)context.Request.RouteValues["name"]!;
        await changing.WaitAsync(context.RequestAborted);
        try
        {
            bool kept = store?.Remove(name) ?? false;
            if (!service.RemoveAdapter(name) && !kept) throw new UnknownAdapterException(name, $"there is no adapter {Quote.Name(name)}");
        }
        finally
        {
            changing.Release();
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    [LoggerMessage(21, LogLevel.Warning, "The adapter {Name} that was kept does not answer: {Reason}")]
    private static partial void Skipped(ILogger logger, string name, string reason);

    /// <summary>A sentence that names a folder's files, and not where they are.</summary>
    private static string Without(string folder, string called, string sentence)
    {
        folder = Path.TrimEndingDirectorySeparator(folder);
        // One that is relative may be called as any word is, and stands alone only in quotes.
        string alone = Path.IsPathRooted(folder) ? folder : $"'{folder}'";
        return sentence.Replace(folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal).Replace(alone, called, StringComparison.Ordinal);
    }

    private static AdapterEntry Entry(HostedAdapter adapter)
    {
        bool embeds = adapter.Task.Kind is EmbeddingsTask;
        return new AdapterEntry(adapter.Name, !embeds, embeds, adapter.Task.Kind.Name, adapter.Task.LabelNames, adapter.Settings.Method.Name, adapter.MaxLength, adapter.Bytes, adapter.IsResident, AdapterDoubts.Of(adapter));
    }
}
