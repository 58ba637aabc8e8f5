import { ssrRenderAttrs, ssrRenderStyle } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"Interface: Connected","description":"","frontmatter":{},"headers":[],"relativePath":"api/@redislock/testing/conformance/interfaces/Connected.md","filePath":"api/@redislock/testing/conformance/interfaces/Connected.md"}');
const _sfc_main = { name: "api/@redislock/testing/conformance/interfaces/Connected.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="interface-connected" tabindex="-1">Interface: Connected <a class="header-anchor" href="#interface-connected" aria-label="Permalink to &quot;Interface: Connected&quot;">​</a></h1><h2 id="properties" tabindex="-1">Properties <a class="header-anchor" href="#properties" aria-label="Permalink to &quot;Properties&quot;">​</a></h2><h3 id="client" tabindex="-1">client <a class="header-anchor" href="#client" aria-label="Permalink to &quot;client&quot;">​</a></h3><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light-high-contrast github-dark-high-contrast vp-code" tabindex="0"><code><span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">readonly </span><span style="${ssrRenderStyle({ "--shiki-light": "#702C00", "--shiki-dark": "#FFB757" })}">client</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">: RedisClient;</span></span></code></pre></div><hr><h3 id="close" tabindex="-1">close <a class="header-anchor" href="#close" aria-label="Permalink to &quot;close&quot;">​</a></h3><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light-high-contrast github-dark-high-contrast vp-code" tabindex="0"><code><span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">readonly </span><span style="${ssrRenderStyle({ "--shiki-light": "#702C00", "--shiki-dark": "#FFB757" })}">close</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">: () </span><span style="${ssrRenderStyle({ "--shiki-light": "#A0111F", "--shiki-dark": "#FF9492" })}">=&gt;</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}"> unknown;</span></span></code></pre></div><p>Closes the client of your library, as its user would.</p><h4 id="returns" tabindex="-1">Returns <a class="header-anchor" href="#returns" aria-label="Permalink to &quot;Returns&quot;">​</a></h4><p><code>unknown</code></p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("api/@redislock/testing/conformance/interfaces/Connected.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const Connected = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  Connected as default
};
