using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using LoRA2.Native.Hosting.Telemetry;

namespace LoRA2.Native.Serving.Metrics;

/// <summary>Listens to the services' meter, and gives its numbers in Prometheus' text format: names with underscores and their unit, histograms with cumulative buckets.</summary>
internal sealed class PrometheusMetrics : IDisposable
{
    private static readonly double[] OtherBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
    // By their names there: two services have the same instruments, and a name may be written once.
    private readonly ConcurrentDictionary<string, Family> families = new(StringComparer.Ordinal);
    private readonly MeterListener listener = new();

    /// <param name="meters">Whose meters are listened to; null for all of that name.</param>
    public PrometheusMetrics(IMeterFactory? meters)
    {
        listener.InstrumentPublished = (instrument, own) =>
        {
            if (instrument.Meter.Name == LoRA2Telemetry.MeterName && (meters is null || instrument.Meter.Scope == meters)) own.EnableMeasurementEvents(instrument, families.GetOrAdd(NameOf(instrument), static (_, first) => new Family(first), instrument));
        };
        listener.MeasurementsCompleted = static (instrument, family) => ((Family?)family)?.Forget(instrument);
        listener.SetMeasurementEventCallback<int>(static (instrument, value, tags, family) => ((Family)family!).Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<long>(static (instrument, value, tags, family) => ((Family)family!).Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>(static (instrument, value, tags, family) => ((Family)family!).Record(instrument, value, tags));
        listener.Start();
    }

    /// <summary>All that there is, as text.</summary>
    public string Text()
    {
        listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach ((string name, Family family) in families.OrderBy(static family => family.Key, StringComparer.Ordinal)) family.Write(text, name);
        return text.ToString();
    }

    public void Dispose() => listener.Dispose();

    private static string KindOf(Instrument instrument) => IsHistogram(instrument) ? "histogram" : instrument is Counter<long> or Counter<int> or Counter<double> ? "counter" : "gauge";

    private static bool IsHistogram(Instrument instrument) => instrument is Histogram<double> or Histogram<long> or Histogram<int>;

    private static string NameOf(Instrument instrument)
    {
        string name = new([.. instrument.Name.Select(static c => char.IsAsciiLetterOrDigit(c) ? c : '_')]);
        if (instrument.Unit == "s") name += "_seconds";
        return KindOf(instrument) == "counter" ? name + "_total" : name;
    }

    private static double[] BucketsOf(Instrument instrument) => instrument switch
    {
        Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        Histogram<long> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(static bound => (double)bound)],
        _ => OtherBuckets,
    };

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty) return "";
        var text = new StringBuilder();
        foreach ((string key, object? value) in tags)
        {
            if (text.Length > 0) text.Append(',');
            foreach (char c in key) text.Append(char.IsAsciiLetterOrDigit(c) ? c : '_');
            text.Append("=\"").Append(Convert.ToString(value, CultureInfo.InvariantCulture)!.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('"');
        }

        return text.ToString();
    }

    /// <summary>All instruments of a name.</summary>
    private sealed class Family(Instrument first)
    {
        private readonly ConcurrentDictionary<string, Series> series = new(StringComparer.Ordinal);

        public void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
            series.GetOrAdd(Labels(tags), static (_, first) => new Series(first), first).Add(instrument, value);

        /// <summary>Leaves out what an instrument that has ended said last.</summary>
        public void Forget(Instrument instrument)
        {
            foreach ((string labels, Series one) in series)
            {
                if (one.Forget(instrument)) series.TryRemove(labels, out _);
            }
        }

        public void Write(StringBuilder text, string name)
        {
            if (series.IsEmpty) return;
            text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {first.Description}\n# TYPE {name} {KindOf(first)}\n");
            foreach ((string labels, Series one) in series.OrderBy(static one => one.Key, StringComparer.Ordinal)) one.Write(text, name, labels);
        }
    }

    /// <summary>One combination of labels.</summary>
    private sealed class Series(Instrument instrument)
    {
        private readonly Lock gate = new();
        private readonly double[] bounds = IsHistogram(instrument) ? BucketsOf(instrument) : [];
        private readonly long[] counts = new long[IsHistogram(instrument) ? BucketsOf(instrument).Length + 1 : 0];
        private readonly bool adds = IsHistogram(instrument) || KindOf(instrument) == "counter";
        // What the instruments of a gauge said last: together they are its value.
        private readonly Dictionary<Instrument, double> latest = [];
        private double sum;
        private long count;

        public void Add(Instrument from, double value)
        {
            lock (gate)
            {
                if (adds) sum += value;
                else latest[from] = value;
                count++;
                if (counts.Length == 0) return;
                int bucket = 0;
                while (bucket < bounds.Length && value > bounds[bucket]) bucket++;
                counts[bucket]++;
            }
        }

        /// <summary>Whether nothing is left to be said.</summary>
        public bool Forget(Instrument instrument)
        {
            lock (gate) return latest.Remove(instrument) && latest.Count == 0;
        }

        public void Write(StringBuilder text, string name, string labels)
        {
            lock (gate)
            {
                string only = labels.Length == 0 ? "" : $"{{{labels}}}", before = labels.Length == 0 ? "" : labels + ",";
                if (counts.Length == 0)
                {
                    text.Append(CultureInfo.InvariantCulture, $"{name}{only} {(adds ? sum : latest.Values.Sum())}\n");
                    return;
                }

                long below = 0;
                for (int i = 0; i < bounds.Length; i++) text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{before}le=\"{bounds[i]}\"}} {below += counts[i]}\n");
                text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{before}le=\"+Inf\"}} {count}\n{name}_sum{only} {sum}\n{name}_count{only} {count}\n");
            }
        }
    }
}
