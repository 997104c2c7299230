using System.Collections.Immutable;

namespace LoRA2.Native.Hosting.Models;

/// <summary>A model and its adapters, each with weights of its own.</summary>
internal sealed class SeparateModels : IBatchModel
{
    private readonly LoRA2Options options;
    private readonly string name;
    private readonly ModelTenant alone;
    private ImmutableDictionary<string, ModelTenant> adapters = ImmutableDictionary<string, ModelTenant>.Empty.WithComparers(StringComparer.Ordinal);

    public SeparateModels(LoRA2Options options, string name)
    {
        this.options = options;
        this.name = name;
        alone = ModelTenant.Load(options, name, null, null);
    }

    public IReadOnlyCollection<string> Adapters => [.. adapters.Keys.Order(StringComparer.Ordinal)];

    public Tenant Tenant(string? adapter)
    {
        if (adapter is null) return alone;
        return adapters.TryGetValue(adapter, out ModelTenant? tenant) ? tenant : throw new UnknownAdapterException(adapter, $"model '{name}' has no adapter '{adapter}'; {Listed()}");
    }

    public void Answer(IReadOnlyList<QueuedText> texts, CancellationToken cancellation)
    {
        foreach (IGrouping<(Tenant Tenant, TextWork Work), QueuedText> group in texts.GroupBy(text => (text.Tenant, text.Work)))
        {
            cancellation.ThrowIfCancellationRequested();
            ((ModelTenant)group.Key.Tenant).Answer(group.Key.Work, [.. group], cancellation);
        }
    }

    public bool Put(string name, string folder)
    {
        ModelTenant loaded = ModelTenant.Load(options, this.name, name, folder);
        bool replaces = false;
        // The one before is left to those who have it; its memory goes with the last of them.
        ImmutableInterlocked.AddOrUpdate(ref adapters, name, _ => loaded, (_, _) =>
        {
            replaces = true;
            return loaded;
        });
        return replaces;
    }

    public bool Remove(string name) => ImmutableInterlocked.TryRemove(ref adapters, name, out _);

    public void Dispose()
    {
        alone.Dispose();
        foreach (ModelTenant tenant in adapters.Values) tenant.Dispose();
    }

    private string Listed()
    {
        IReadOnlyCollection<string> names = Adapters;
        return names.Count == 0 ? "it has none" : $"it has {string.Join(", ", names.Take(10))}{(names.Count > 10 ? $" and {names.Count - 10:N0} others" : "")}";
    }
}
