using LoRA2.Native.Files;

namespace LoRA2.Native.Inference;

/// <summary>
/// Adapters by name, those in memory and those that only their folder has. Whoever gets one may use it until it is released, whatever becomes of its name meanwhile.
/// </summary>
/// <param name="read">Reads a folder.</param>
/// <param name="options">How many stay in memory.</param>
internal sealed class AdapterShelf(Func<string, AdapterVersion> read, AdapterHostOptions options)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Place> places = [];
    private long uses;

    /// <summary>What there is, in the names' order.</summary>
    public IReadOnlyList<HostedAdapter> All
    {
        get
        {
            lock (gate) return [.. places.Values.Select(place => place.Seen).OrderBy(adapter => adapter.Name, StringComparer.Ordinal)];
        }
    }

    /// <summary>Whether there is one of that name, and what it is.</summary>
    public HostedAdapter? Find(string name)
    {
        lock (gate) return places.TryGetValue(name, out Place? place) ? place.Seen : null;
    }

    /// <summary>Puts an adapter there, in the place of one of the same name.</summary>
    /// <exception cref="InputException">The folder has none that fits.</exception>
    public HostedAdapter Put(string name, string folder)
    {
        folder = Path.GetFullPath(folder);
        // Stamped before it is read and glanced at after: a folder that changes meanwhile has the stamp of neither. Without a limit it is never read again, and needs no stamp.
        (string stamp, string glance) = (IsLimited ? FolderStamp.Of(folder) : "", FolderStamp.Glance(folder));
        AdapterVersion version = read(folder);
        if (FolderStamp.Glance(folder) != glance)
        {
            version.Release();
            throw new InputException($"'{folder}': the files of the folder were replaced while they were read; try again");
        }

        var place = new Place(name, folder, stamp, version);
        List<AdapterVersion> gone = [];
        lock (gate)
        {
            if (places.TryGetValue(name, out Place? before) && before.Resident is { } old) gone.Add(old);
            places[name] = place;
            Use(place, gone);
        }

        gone.ForEach(old => old.Release());
        return place.Seen;
    }

    /// <summary>Takes one away; false where there is none.</summary>
    public bool Remove(string name)
    {
        AdapterVersion? old;
        lock (gate)
        {
            if (!places.Remove(name, out Place? place)) return false;
            (old, place.Resident) = (place.Resident, null);
        }

        old?.Release();
        return true;
    }

    /// <summary>The adapter of that name, for the caller to release; read again where it is not in memory.</summary>
    /// <exception cref="InputException">There is none, or its folder is not what it was.</exception>
    public AdapterVersion Take(string name)
    {
        while (true)
        {
            Place? place;
            lock (gate)
            {
                if (!places.TryGetValue(name, out place)) throw new InputException($"there is no adapter '{name}'");
                if (place.Resident is { } found)
                {
                    place.LastUse = ++uses;
                    return found.Retain();
                }
            }

            // One of those that ask reads it, the others wait.
            lock (place.Reading)
            {
                lock (gate)
                {
                    if (place.Resident is not null || !IsCurrent(place)) continue;
                }

                AdapterVersion version;
                try
                {
                    version = Again(place);
                }
                catch (Exception e) when (e is InputException or IOException && !IsCurrent(place))
                {
                    // Whoever put another in its place, or took it away, may do with the old folder as they like.
                    continue;
                }

                List<AdapterVersion> gone = [];
                bool isCurrent;
                lock (gate)
                {
                    isCurrent = IsCurrent(place);
                    if (isCurrent)
                    {
                        place.Resident = version.Retain();
                        Use(place, gone);
                    }
                }

                gone.ForEach(old => old.Release());
                if (isCurrent) return version;
                version.Release();
            }
        }
    }

    /// <summary>Takes all away.</summary>
    public void Clear()
    {
        List<AdapterVersion> gone;
        lock (gate)
        {
            gone = [.. places.Values.Select(place => place.Resident).OfType<AdapterVersion>()];
            places.Clear();
        }

        gone.ForEach(old => old.Release());
    }

    /// <summary>Whether any is ever put out of memory.</summary>
    private bool IsLimited => options is not { MaxResident: null, MaxResidentBytes: null };

    private bool IsCurrent(Place place)
    {
        lock (gate) return places.TryGetValue(place.Seen.Name, out Place? current) && current == place;
    }

    private AdapterVersion Again(Place place)
    {
        string glance = FolderStamp.Glance(place.Folder);
        if (FolderStamp.Of(place.Folder) != place.Stamp) throw new InputException($"'{place.Folder}': the files have changed since the adapter '{place.Seen.Name}' was put here; put it here again");
        AdapterVersion version = read(place.Folder);
        version.Number = place.Seen.Version;
        if (FolderStamp.Glance(place.Folder) == glance) return version;
        version.Release();
        throw new InputException($"'{place.Folder}': the files of the folder were replaced while they were read; try again");
    }

    /// <summary>Counts a use, and lets go of those that were asked for least recently where there are too many.</summary>
    private void Use(Place place, List<AdapterVersion> gone)
    {
        place.LastUse = ++uses;
        while (IsLimited)
        {
            Place[] resident = [.. places.Values.Where(other => other.Resident is not null)];
            bool fits = resident.Length <= (options.MaxResident ?? int.MaxValue) && resident.Sum(other => other.Resident!.Bytes) <= (options.MaxResidentBytes ?? long.MaxValue);
            if (fits || resident.Length <= 1) return;
            Place oldest = resident.Where(other => other != place).MinBy(other => other.LastUse)!;
            gone.Add(oldest.Resident!);
            oldest.Resident = null;
        }
    }

    private sealed class Place(string name, string folder, string stamp, AdapterVersion version)
    {
        private readonly HostedAdapter seen = new(name, folder, version.Task, version.Settings, version.MaxLength, version.Bytes, version.Number, true, version.SharesBatches);

        public string Folder => folder;

        public string Stamp => stamp;

        public AdapterVersion? Resident { get; set; } = version;

        public Lock Reading { get; } = new();

        public long LastUse { get; set; }

        public HostedAdapter Seen => seen with { IsResident = Resident is not null };
    }
}
