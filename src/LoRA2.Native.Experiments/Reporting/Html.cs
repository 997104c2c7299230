using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace LoRA2.Native.Experiments.Reporting;

/// <summary>
/// Builds markup that is HTML and well-formed XML at once. Escaping is the XML writer's; whatever text comes from outside goes in as a string, and what XML has no
/// place for (control characters, halves of surrogate pairs) becomes U+FFFD.
/// </summary>
internal static class Html
{
    /// <summary>HTML's elements that have no end tag, as far as they are used here. SVG's may be written either way.</summary>
    private static readonly HashSet<string> Void = ["br", "col", "meta", "path", "rect", "use"];

    /// <param name="name">The element.</param>
    /// <param name="content">Text, nodes, attributes and sequences of nodes; null is nothing.</param>
    public static XElement Element(string name, params ReadOnlySpan<object?> content)
    {
        var element = new XElement(name);
        foreach (object? item in content) element.Add(item is string text ? Clean(text) : item);
        // An empty <td/> would be an opened one to a browser.
        if (element.IsEmpty && !Void.Contains(name)) element.Value = "";
        return element;
    }

    public static XAttribute Attribute(string name, string value) => new(name, Clean(value));

    public static XAttribute Class(string names) => new("class", names);

    public static XAttribute Style(string declarations) => new("style", declarations);

    /// <summary>Text of the user's, which may run from right to left without turning what is around it.</summary>
    public static XElement Foreign(string text) => Element("bdi", text);

    /// <summary>A table with a row of headers. A cell is text or a node; text that is a number belongs into a column named in <paramref name="numeric"/>.</summary>
    public static XElement Table(IReadOnlyList<string> headers, IEnumerable<IReadOnlyList<object?>> rows, params int[] numeric)
    {
        XAttribute? Align(int column) => numeric.Contains(column) ? Class("number") : null;
        return Element(
            "div", Class("scroll"),
            Element(
                "table",
                Element("thead", Element("tr", headers.Select((header, column) => Element("th", Attribute("scope", "col"), Align(column), header)))),
                Element("tbody", rows.Select(row => Element("tr", row.Select((cell, column) => Element("td", Align(column), cell)))))));
    }

    /// <summary>A part of a page with its heading.</summary>
    public static XElement Section(string title, params ReadOnlySpan<object?> content)
    {
        XElement section = Element("section", Element("h2", title));
        foreach (object? item in content) section.Add(item is string text ? Clean(text) : item);
        return section;
    }

    /// <summary>A chart or table with its title, and what there is to say about it.</summary>
    public static XElement Figure(string title, object? about, params ReadOnlySpan<object?> content)
    {
        XElement figure = Element("figure", Element("figcaption", Element("h3", title), about is null ? null : Element("p", about)));
        foreach (object? item in content) figure.Add(item is string text ? Clean(text) : item);
        return figure;
    }

    /// <summary>The figure over all columns of the page, if need be.</summary>
    public static XElement Wide(XElement figure, bool isWide)
    {
        if (isWide) figure.Add(Class("wide"));
        return figure;
    }

    /// <summary>What is shown on demand.</summary>
    public static XElement Details(string summary, params ReadOnlySpan<object?> content)
    {
        XElement details = Element("details", Element("summary", summary));
        foreach (object? item in content) details.Add(item is string text ? Clean(text) : item);
        return details;
    }

    private static string Clean(string text)
    {
        int bad = FirstBad(text);
        if (bad < 0) return text;
        var clean = new StringBuilder(text, 0, bad, text.Length);
        // A rune of an unpaired surrogate is U+FFFD already.
        foreach (Rune rune in text.AsSpan(bad).EnumerateRunes()) clean.Append(rune.Value > 0xFFFF || XmlConvert.IsXmlChar((char)rune.Value) ? rune.ToString() : "\uFFFD");
        return clean.ToString();
    }

    private static int FirstBad(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!XmlConvert.IsXmlChar(text[i])) return i;
        }

        return -1;
    }
}
