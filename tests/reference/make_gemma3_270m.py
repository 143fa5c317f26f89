"""Makes the reference numbers of Gemma 3 270M: what transformers says of the same GGUF file.

    python tests/reference/make_gemma3_270m.py CHECKPOINT.gguf

needs torch, transformers, accelerate and gguf, and writes two files beside this script:

- `gemma3_270m.npz`, arrays for each prompt: `tokens`; for every position `argmax`, `logsumexp` and
  the logits of the tokens `columns`; for the last position `top_tokens` and `top_logits`; and
  `greedy`, the greedy continuation with the smallest gap between first and second choice, `margin`.
- `gemma3_270m_tokens.json`, pairs of a text and its tokens.

All is computed in float32 on the CPU with the plain ("eager") attention.
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
GREEDY_STEPS = 40

BOXES = " ".join(f"The key of box {i} is {(i * 37) % 101}." for i in range(1, 71))
PROMPTS = {
    "capital": "The capital of France is",
    "code": "def fibonacci(n):\n    if n < 2:\n        return n\n    return",
    "german": "Die drei größten Städte in Deutschland sind",
    "counting": "1, 2, 3, 4, 5, 6,",
    "story": "Once upon a time, in a small village by the sea, there lived a",
    "japanese": "日本の首都は",
    "boxes": BOXES + " The key of box 3 is",
}

PIECES = [
    "Hello, world!", "hello", " hello", "  hello", "hello ", "Hello\n", "\nHello", "\n", "\n\n", "\n\n\n\n",
    "\t", "\t\t", " ", "  ", "   ", " " * 31, " " * 32, " " * 40, "a\tb", "a \t b", "\r\n", "a\r\nb\rc",
    "", "a", "A", "0", "12345", "3.14159", "1,000,000", "2024-11-21T20:51:05Z", "0x1F", "1e-5", "-7",
    "don't", "it's John's", "e-mail", "snake_case_name", "camelCaseName", "SHOUTING", "a.b.c", "www.example.org",
    "https://example.org/path?x=1&y=%20#frag", "someone@example.org", "/usr/local/bin", "C:\\Windows\\System32",
    "def f(x):\n    return x ** 2\n", "for (int i = 0; i < n; ++i) {\n\tsum += a[i];\n}\n", "<div class=\"a\">&amp;</div>",
    "SELECT * FROM t WHERE a = 'b';", "{\"key\": [1, 2, null], \"b\": true}", "$x^2 + \\frac{1}{2}$", "# Title\n\n- item\n- item\n",
    "```python\nprint('hi')\n```", "| a | b |\n|---|---|\n", "!!!", "...", "…", "—", "“quoted”", "‘x’", "«a»", "¿Qué?", "§ 5", "©®™", "€ 5, £ 6, ¥ 7",
    "größer", "Straße", "naïve café", "Ångström", "fiancée", "São Paulo", "Łódź", "İstanbul", "Đà Nẵng", "señor",
    "Привет, мир", "Київ", "Γειά σου Κόσμε", "שלום עולם", "مرحبا بالعالم", "سلام دنیا", "नमस्ते दुनिया", "বাংলা", "தமிழ்", "తెలుగు", "ಕನ್ನಡ", "മലയാളം", "ગુજરાતી", "ਪੰਜਾਬੀ",
    "ไทยแลนด์", "ລາວ", "မြန်မာ", "ភាសាខ្មែរ", "བོད་ཡིག", "ქართული", "Հայերեն", "አማርኛ", "日本語のテキスト", "カタカナ", "ひらがな", "漢字", "简体中文", "繁體中文", "한국어 문장", "𠮷野家",
    "ᏣᎳᎩ", "ᠮᠣᠩᠭᠣᠯ", "𐌰𐌱𐌲", "𓀀𓀁", "ꦗꦮ", "Tiếng Việt", "ʻŌlelo Hawaiʻi", "ɪntəˈnæʃənəl", "x̂ ȳ", "e\u0301", "\u00e9", "ﬁne", "①②③", "½ ¾", "x²", "Ⅳ", "ＡＢＣ",
    "😀", "😀😀😀", "👍🏽", "👨‍👩‍👧‍👦", "🇩🇪🇫🇷", "🏳️‍🌈", "❤️", "☃", "♠♣♥♦", "→←↑↓", "∀x∃y", "∑∫√∞", "┌─┐│└┘", "█▓▒░", "🂡", "🜁", "\U0010fffd",
    "<bos>", "<eos>", "<pad>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>", "<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n",
    "<unused0>", "<unused5>", "<unused98>", "[multimodal]", "<start_of_image>", "<end_of_image>", "<image_soft_token>", "<bos><bos>", "a<bos>b", " <eos> ", "<bos", "bos>", "< bos >", "<<bos>>", "<BOS>", "</s>", "<s>", "<h1>", "<table><tr><td>x</td></tr></table>", "<0x41>", "<0x0A>", "<0xFF>",
    "\u200b", "a\u200bb", "\u00a0", "a\u00a0b", "\ufeffx", "\u2028", "\u202eabc", "\u00ad", "\x00", "a\x00b", "\x07", "\x1b[31mred", "\x7f", "\u0085", "\ufffd", "▁", "▁▁", "a▁b", "▁a", " ▁ ",
    "antidisestablishmentarianism", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ababababababab", "zxqwvkjh", "thequickbrownfoxjumpsoverthelazydog", "Mississippi",
    "The quick brown fox jumps over the lazy dog.", "It was the best of times; it was the worst of times.", "To be, or not to be:  that is the question", "  leading and trailing  ", "one  two   three    four", "tab\tand  spaces \n mixed \n\t lines\n\n",
]  # fmt: skip


def main(checkpoint: Path) -> None:
    """Writes both files."""
    import torch
    import transformers

    where = {"gguf_file": checkpoint.name}
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint.parent, **where)
    texts = list(dict.fromkeys([*PIECES, *PROMPTS.values()]))
    pairs = [[text, tokenizer.encode(text)] for text in texts]
    lines = ",\n".join(json.dumps(pair) for pair in pairs)
    (HERE / "gemma3_270m_tokens.json").write_text(f"[\n{lines}\n]\n")

    model = transformers.AutoModelForCausalLM.from_pretrained(
        checkpoint.parent, **where, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    generator = np.random.default_rng(0)
    columns = np.sort(generator.choice(model.config.vocab_size, 24, replace=False)).astype(np.int32)
    numbers = {"columns": columns}
    for name, text in PROMPTS.items():
        with torch.no_grad():
            found = of_prompt(model, tokenizer.encode(text), columns)
        numbers |= {f"{name}.{key}": value for key, value in found.items()}
        continuation = tokenizer.decode(found["greedy"])
        print(f"{name}: margin {found['margin']:.4f}, {continuation!r}")
    np.savez_compressed(HERE / "gemma3_270m.npz", **numbers)


def of_prompt(model, tokens: list[int], columns: np.ndarray) -> dict[str, np.ndarray]:
    """Returns the numbers of one prompt."""
    import torch

    prompt = torch.tensor([tokens])
    logits = model(prompt).logits[0]
    top = torch.topk(logits[-1], 8)
    generated = model.generate(
        prompt,
        attention_mask=torch.ones_like(prompt),
        do_sample=False,
        max_new_tokens=GREEDY_STEPS,
        output_logits=True,
        return_dict_in_generate=True,
    )
    choices = torch.topk(torch.cat(generated.logits), 2).values
    return {
        "tokens": np.array(tokens, np.int32),
        "argmax": logits.argmax(-1).numpy().astype(np.int32),
        "logsumexp": torch.logsumexp(logits, -1).numpy(),
        "logits": logits[:, torch.from_numpy(columns).long()].numpy(),
        "top_tokens": top.indices.numpy().astype(np.int32),
        "top_logits": top.values.numpy(),
        "greedy": generated.sequences[0, len(tokens) :].numpy().astype(np.int32),
        "margin": (choices[:, 0] - choices[:, 1]).min().numpy(),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
