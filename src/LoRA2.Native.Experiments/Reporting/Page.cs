using System.Text;
using System.Xml.Linq;

namespace LoRA2.Native.Experiments.Reporting;

/// <summary>One self-contained HTML file: its style within, no script, nothing loaded from anywhere, light or dark as the reader's system is.</summary>
internal static class Page
{
    /// <summary>Also what a browser is told: it would load nothing even if something asked it to.</summary>
    private const string Policy = "default-src 'none'; style-src 'unsafe-inline'";

    private static readonly string Css = ReadCss();

    /// <summary>The file's bytes.</summary>
    /// <param name="title">The window's title.</param>
    /// <param name="body">The header and sections of the page.</param>
    public static byte[] Of(string title, params IEnumerable<XElement> body)
    {
        XElement head = Html.Element(
            "head",
            Html.Element("meta", Html.Attribute("charset", "utf-8")),
            Html.Element("meta", Html.Attribute("name", "viewport"), Html.Attribute("content", "width=device-width, initial-scale=1")),
            Html.Element("meta", Html.Attribute("name", "color-scheme"), Html.Attribute("content", "light dark")),
            Html.Element("meta", Html.Attribute("http-equiv", "Content-Security-Policy"), Html.Attribute("content", Policy)),
            Html.Element("title", title),
            Html.Element("style", Css));
        XElement html = Html.Element("html", Html.Attribute("lang", "en"), head, Html.Element("body", Html.Element("main", body)));
        return Encoding.UTF8.GetBytes($"<!DOCTYPE html>\n{html.ToString(SaveOptions.DisableFormatting)}\n");
    }

    private static string ReadCss()
    {
        using var reader = new StreamReader(typeof(Page).Assembly.GetManifestResourceStream("page.css")!);
        return reader.ReadToEnd();
    }
}
