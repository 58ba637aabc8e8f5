import { ssrRenderAttrs, ssrRenderStyle } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"Interface: Script","description":"","frontmatter":{},"headers":[],"relativePath":"api/@redislock/ioredis/index/interfaces/Script.md","filePath":"api/@redislock/ioredis/index/interfaces/Script.md"}');
const _sfc_main = { name: "api/@redislock/ioredis/index/interfaces/Script.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="interface-script" tabindex="-1">Interface: Script <a class="header-anchor" href="#interface-script" aria-label="Permalink to &quot;Interface: Script&quot;">​</a></h1><p>A Lua script as a value: run by its hash, sent as text when the server does not know it.</p><h2 id="properties" tabindex="-1">Properties <a class="header-anchor" href="#properties" aria-label="Permalink to &quot;Properties&quot;">​</a></h2><h3 id="name" tabindex="-1">name <a class="header-anchor" href="#name" aria-label="Permalink to &quot;name&quot;">​</a></h3><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light-high-contrast github-dark-high-contrast vp-code" tabindex="0"><code><span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">readonly </span><span style="${ssrRenderStyle({ "--shiki-light": "#702C00", "--shiki-dark": "#FFB757" })}">name</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">: string;</span></span></code></pre></div><hr><h3 id="sha1" tabindex="-1">sha1 <a class="header-anchor" href="#sha1" aria-label="Permalink to &quot;sha1&quot;">​</a></h3><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light-high-contrast github-dark-high-contrast vp-code" tabindex="0"><code><span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">readonly </span><span style="${ssrRenderStyle({ "--shiki-light": "#702C00", "--shiki-dark": "#FFB757" })}">sha1</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">: string;</span></span></code></pre></div><p>SHA-1 of the text in hex: the name under which Redis caches it.</p><hr><h3 id="source" tabindex="-1">source <a class="header-anchor" href="#source" aria-label="Permalink to &quot;source&quot;">​</a></h3><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light-high-contrast github-dark-high-contrast vp-code" tabindex="0"><code><span class="line"><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">readonly </span><span style="${ssrRenderStyle({ "--shiki-light": "#702C00", "--shiki-dark": "#FFB757" })}">source</span><span style="${ssrRenderStyle({ "--shiki-light": "#0E1116", "--shiki-dark": "#F0F3F6" })}">: string;</span></span></code></pre></div><p>The Lua text.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("api/@redislock/ioredis/index/interfaces/Script.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const Script = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  Script as default
};
