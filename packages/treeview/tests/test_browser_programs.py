"""Pages that imitate how VS Code and Colab show outputs, for neither can run in a test.

VS Code puts all outputs of a notebook into one page: a web view whose body tells the theme by a
class (the system's theme is told wrong), whose policy allows inline scripts and nothing from
elsewhere, and whose keys go to the editor unless a page keeps them. It inserts HTML as text and
then runs copies of its scripts at the end of the output, for scripts that are inserted do not run.

Colab gives every output a page of its own in a sandbox of another origin, with the theme as an
attribute of its root, and makes the frame as high as what is in it.
"""

import html

import numpy as np
import pytest

import treeview

pytestmark = pytest.mark.browser

VALUE = {
    "blocks": [
        {"weights": np.arange(64.0).reshape(8, 8) - i, "n": list(range(40))} for i in range(9)
    ]
}
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline';"
    " img-src data:; font-src data:; child-src data:"
)
WEB_VIEW = f"""<!doctype html><html style="--vscode-editor-background:#1f1f1f"><head>
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<style>
  body {{ margin: 0; background: var(--vscode-editor-background); color: #ccc; }}
  .output {{ overflow-x: auto; font-family: sans-serif; }}
  .output img {{ max-width: 100%; }}
  .output ul {{ list-style: disc; padding-left: 2em; }}
</style></head>
<body class="vscode-dark" data-vscode-theme-kind="vscode-dark"><main></main><script>
  const keys = [];
  addEventListener("keydown", (event) => keys.push(event.key));
  const show = (source) => {{
    const output = document.createElement("div");
    output.className = "output";
    output.innerHTML = source;
    document.querySelector("main").append(output);
    for (const script of [...output.querySelectorAll("script")]) {{
      const copy = document.createElement("script");
      copy.text = script.innerText;
      for (const name of ["type", "src", "nonce", "async"]) {{
        const value = script.getAttribute(name);
        if (value) copy.setAttribute(name, value);
      }}
      output.append(copy);
      copy.remove();
    }}
  }};
</script></body></html>"""


@pytest.fixture(scope="module")
def outputs():
    """A large tree with pictures, a figure and a small tree."""
    tree = treeview.render(VALUE, autovisualize=True)
    return [
        one.html()
        for one in (
            tree,
            treeview.render_array(np.eye(5)),
            treeview.render({"a": ["words " * 9] * 3}),
        )
    ]


@pytest.fixture
def web_view(open_page, outputs):
    page = open_page(WEB_VIEW, color_scheme="light")  # which is what it says even where it is dark
    for output in outputs:
        page.evaluate("source => show(source)", output)
    page.locator(".treeview .tv-bar").wait_for()
    return page


def luminance(locator):
    return locator.evaluate(
        """(one) => {
            const context = new OffscreenCanvas(1, 1).getContext("2d");
            context.fillStyle = getComputedStyle(one).color;
            context.fillRect(0, 0, 1, 1);
            return context.getImageData(0, 0, 1, 1).data[1] / 255;
        }"""
    )


def works(tree):
    """Folds a large tree, searches it, and asks a picture in it for a value."""
    tree.get_by_role("button", name="Collapse all").click()
    assert tree.locator(".r").count() < 4
    search = tree.get_by_role("searchbox")
    search.fill("path:['blocks'][7]['weights']")
    tree.locator(".tv-hit").first.wait_for()
    assert tree.locator(".tv-hit").count() == 1
    search.fill("")
    tree.get_by_role("button", name="Expand all").click()
    tree.locator("figure canvas").first.hover(position={"x": 10, "y": 10})
    tree.locator("figure [role=status]", has_text="] = ").first.wait_for()


def test_vs_code_runs_trees_and_pictures(web_view):
    large, figure, small = web_view.locator(".treeview").all()
    works(large)
    figure.locator("canvas").hover()
    figure.get_by_role("status").get_by_text("array[2, 2] = 1.0").wait_for()
    small.locator("summary").first.click(position={"x": 30, "y": 8})
    assert "\n" not in small.inner_text()


def test_vs_code_says_its_theme_by_a_class_of_the_body(web_view):
    trees = web_view.locator(".treeview").all()
    assert min(map(luminance, trees)) > 0.7
    backs = {tree.evaluate("one => getComputedStyle(one).backgroundColor") for tree in trees}
    assert backs == {"rgba(0, 0, 0, 0)"}  # that of the editor shows
    web_view.evaluate("document.body.className = 'vscode-light'")
    assert max(map(luminance, trees)) < 0.3
    web_view.evaluate("document.body.className = 'vscode-high-contrast'")
    assert min(map(luminance, trees)) > 0.7
    web_view.evaluate("document.body.className = 'vscode-high-contrast vscode-high-contrast-light'")
    assert max(map(luminance, trees)) < 0.3


def test_vs_code_does_not_hear_keys_that_move_in_a_tree(web_view):
    tree = web_view.locator(".treeview").first
    tree.locator(".r").nth(1).click(position={"x": 30, "y": 8})
    for key in ("ArrowDown", "ArrowUp", "ArrowRight", "x", "d"):
        web_view.keyboard.press(key)
    assert web_view.evaluate("keys") == []
    assert tree.locator(".r").evaluate_all("rows => rows.indexOf(document.activeElement)") > 0
    web_view.keyboard.press("Control+Enter")  # which runs the cell
    assert "Enter" in web_view.evaluate("keys")


def test_outputs_that_vs_code_takes_out_and_puts_back_go_on(web_view):
    tree = web_view.locator(".treeview").first
    tree.get_by_role("button", name="Expand all").click()
    lines = tree.locator(".r").count()
    web_view.evaluate(
        """() => {
            const main = document.querySelector("main");
            const outputs = [...main.children];
            main.replaceChildren();
            return new Promise((go) => setTimeout(() => go(main.append(...outputs)), 50));
        }"""
    )
    assert tree.locator(".r").count() == lines
    works(tree)


def test_outputs_that_vs_code_shows_anew_work_beside_others(web_view, outputs):
    web_view.evaluate("document.querySelector('main').firstElementChild.remove()")
    for _ in range(2):
        web_view.evaluate("source => show(source)", outputs[0])
    web_view.locator(".tv-bar").nth(1).wait_for()
    works(web_view.locator(".treeview").nth(2))
    works(web_view.locator(".treeview").nth(3))


def colab(output, theme):
    """A page with one output in a frame, as Colab makes it."""
    inside = f"""<!doctype html><html theme="{theme}"><head><script>
        new ResizeObserver(() => parent.postMessage(document.body.scrollHeight, "*"))
            .observe(document.documentElement);
        </script></head><body style="margin:0"><div id="output-body">{output}</div></body></html>"""
    return f"""<!doctype html><body><iframe style="width:900px;height:10px;border:0"
        sandbox="allow-scripts allow-downloads allow-popups" srcdoc="{html.escape(inside)}"></iframe>
        <script>addEventListener("message", ({{data}}) => {{
            if (typeof data === "number") document.querySelector("iframe").style.height = data + "px";
        }});</script>"""


def test_colab_runs_trees_and_pictures_in_a_frame_of_another_origin(open_page, outputs):
    page = open_page(colab(outputs[0], "light"))
    tree = page.frame_locator("iframe").locator(".treeview")
    works(tree)
    page = open_page(colab(outputs[1], "light"))
    figure = page.frame_locator("iframe").locator("figure")
    figure.locator("canvas").hover()
    figure.get_by_role("status").get_by_text("array[2, 2] = 1.0").wait_for()


def test_frames_of_colab_grow_and_shrink_with_the_tree(open_page, outputs):
    page = open_page(colab(outputs[0], "light"))
    tree = page.frame_locator("iframe").locator(".treeview")
    tree.get_by_role("button", name="Expand all").click()
    page.wait_for_function("document.querySelector('iframe').offsetHeight > 800")
    tree.get_by_role("button", name="Collapse all").click()
    page.wait_for_function("document.querySelector('iframe').offsetHeight < 200")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_colab_says_its_theme_by_an_attribute_of_the_root(open_page, outputs, theme):
    system = "light" if theme == "dark" else "dark"
    page = open_page(colab(outputs[2], theme), color_scheme=system)
    tree = page.frame_locator("iframe").locator(".treeview")
    assert (luminance(tree) > 0.5) == (theme == "dark")
    assert tree.evaluate("one => getComputedStyle(one).backgroundColor") == "rgba(0, 0, 0, 0)"
