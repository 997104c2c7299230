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
    private readonly ConcurrentDictionary<Instrument, ConcurrentDictionary<string, Series>> families = new();
    private readonly MeterListener listener = new();

    /// <param name="meters">Whose meters are listened to; null for all of that name.</param>
    public PrometheusMetrics(IMeterFactory? meters)
    {
        listener.InstrumentPublished = (instrument, own) =>
        {
            if (instrument.Meter.Name == LoRA2Telemetry.MeterName && (meters is null || instrument.Meter.Scope == meters)) own.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.Start();
    }

    /// <summary>All that there is, as text.</summary>
    public string Text()
    {
        listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach ((Instrument instrument, ConcurrentDictionary<string, Series> series) in families.OrderBy(static family => family.Key.Name, StringComparer.Ordinal))
        {
            string name = NameOf(instrument), kind = KindOf(instrument);
            text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {instrument.Description}\n# TYPE {name} {kind}\n");
            foreach ((string labels, Series one) in series.OrderBy(static one => one.Key, StringComparer.Ordinal)) one.Write(text, name, labels);
        }

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

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        families.GetOrAdd(instrument, static _ => new()).GetOrAdd(Labels(tags), static (_, one) => new Series(one), instrument).Add(value);

    /// <summary>One combination of labels.</summary>
    private sealed class Series(Instrument instrument)
    {
        private readonly Lock gate = new();
        private readonly double[] bounds = IsHistogram(instrument) ? BucketsOf(instrument) : [];
        private readonly long[] counts = new long[IsHistogram(instrument) ? BucketsOf(instrument).Length + 1 : 0];
        private readonly bool adds = IsHistogram(instrument) || KindOf(instrument) == "counter";
        private double sum;
        private long count;

        public void Add(double value)
        {
            lock (gate)
            {
                sum = adds ? sum + value : value;
                count++;
                if (counts.Length == 0) return;
                int bucket = 0;
                while (bucket < bounds.Length && value > bounds[bucket]) bucket++;
                counts[bucket]++;
            }
        }

        public void Write(StringBuilder text, string name, string labels)
        {
            lock (gate)
            {
                string only = labels.Length == 0 ? "" : $"{{{labels}}}", before = labels.Length == 0 ? "" : labels + ",";
                if (counts.Length == 0)
                {
                    text.Append(CultureInfo.InvariantCulture, $"{name}{only} {sum}\n");
                    return;
                }

                long below = 0;
                for (int i = 0; i < bounds.Length; i++) text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{before}le=\"{bounds[i]}\"}} {below += counts[i]}\n");
                text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{before}le=\"+Inf\"}} {count}\n{name}_sum{only} {sum}\n{name}_count{only} {count}\n");
            }
        }
    }
}
