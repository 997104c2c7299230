using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;

namespace LoRA2.Native.Tests.Inference;

/// <summary>What becomes of adapters' folders while they are read.</summary>
public sealed class AdapterShelfTests
{
    /// <summary>Another is put in an adapter's place, and its folder deleted, while it is read again: who asked gets the new one.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ASwapBesideAColdReadIsAnsweredByTheNewOne(bool isRemoved)
    {
        using var folders = new HostedFolders();
        using SequenceClassifier model = SequenceClassifier.FromFolder(folders.Base);
        string old = folders.Adapter("old"), other = folders.Adapter("other"), next = folders.Adapter("next");
        bool swaps = false;
        AdapterShelf? shelf = null;
        AdapterVersion Read(string folder)
        {
            if (swaps && folder == old)
            {
                swaps = false;
                if (isRemoved) shelf!.Remove("own");
                else shelf!.Put("own", next);
                Directory.Delete(old, recursive: true);
            }

            // As a reader finds it.
            _ = AdapterFolder.SettingsIn(folder);
            AdapterVersion version = AdapterVersion.OfBase(model, new TaskDescription(folder, null, null, []), 1);
            version.Number = folder == next ? 3 : 1;
            return version;
        }

        shelf = new AdapterShelf(Read, new AdapterHostOptions { MaxResident = 1 });
        shelf.Put("own", old);
        shelf.Put("other", other);
        swaps = true;
        if (isRemoved) Assert.Equal("there is no adapter 'own'", Assert.Throws<InputException>(() => shelf.Take("own")).Message);
        else Assert.Equal((next, 3), (shelf.Take("own").Task.Name, shelf.Find("own")!.Version));
    }

    /// <summary>A file beside the adapter that nobody may read keeps it only from being told again, which without a limit is not needed.</summary>
    [Fact]
    public void OnlyAFolderThatMayBeReadAgainIsReadWhole()
    {
        using var folders = new HostedFolders();
        string adapter = folders.Adapter("own");
        using var held = new FileStream(Path.Combine(adapter, "notes.txt"), FileMode.Create, FileAccess.Write, FileShare.None);
        using AdapterHost all = AdapterHost.Load(folders.Base), few = AdapterHost.Load(folders.Base, options: new AdapterHostOptions { MaxResident = 1 });
        Assert.True(all.Put("own", adapter).IsResident);
        Assert.Contains("notes.txt", Assert.Throws<InputException>(() => few.Put("own", adapter)).Message, StringComparison.Ordinal);
    }
}
