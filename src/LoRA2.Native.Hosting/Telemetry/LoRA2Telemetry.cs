namespace LoRA2.Native.Hosting.Telemetry;

/// <summary>Names to give to OpenTelemetry, or to any listener.</summary>
public static class LoRA2Telemetry
{
    /// <summary>The meter's: <c>AddMeter(LoRA2Telemetry.MeterName)</c>.</summary>
    public const string MeterName = "LoRA2.Native";

    /// <summary>The source of spans: <c>AddSource(LoRA2Telemetry.ActivitySourceName)</c>.</summary>
    public const string ActivitySourceName = "LoRA2.Native";

    /// <summary>What the attribute <c>gen_ai.provider.name</c> says.</summary>
    public const string ProviderName = "lora2";
}
