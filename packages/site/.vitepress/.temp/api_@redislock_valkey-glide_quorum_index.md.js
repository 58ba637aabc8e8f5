import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"quorum","description":"","frontmatter":{},"headers":[],"relativePath":"api/@redislock/valkey-glide/quorum/index.md","filePath":"api/@redislock/valkey-glide/quorum/index.md"}');
const _sfc_main = { name: "api/@redislock/valkey-glide/quorum/index.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="quorum" tabindex="-1">quorum <a class="header-anchor" href="#quorum" aria-label="Permalink to &quot;quorum&quot;">​</a></h1><h2 id="classes" tabindex="-1">Classes <a class="header-anchor" href="#classes" aria-label="Permalink to &quot;Classes&quot;">​</a></h2><ul><li><a href="./classes/QuorumError">QuorumError</a></li></ul><h2 id="interfaces" tabindex="-1">Interfaces <a class="header-anchor" href="#interfaces" aria-label="Permalink to &quot;Interfaces&quot;">​</a></h2><ul><li><a href="./interfaces/QuorumLocker">QuorumLocker</a></li><li><a href="./interfaces/QuorumLockerConstructor">QuorumLockerConstructor</a></li><li><a href="./interfaces/QuorumLockerOptions">QuorumLockerOptions</a></li><li><a href="./interfaces/ServerVerdict">ServerVerdict</a></li></ul><h2 id="type-aliases" tabindex="-1">Type Aliases <a class="header-anchor" href="#type-aliases" aria-label="Permalink to &quot;Type Aliases&quot;">​</a></h2><ul><li><a href="./type-aliases/QuorumObtainOptions">QuorumObtainOptions</a></li><li><a href="./type-aliases/QuorumScriptName">QuorumScriptName</a></li></ul><h2 id="variables" tabindex="-1">Variables <a class="header-anchor" href="#variables" aria-label="Permalink to &quot;Variables&quot;">​</a></h2><ul><li><a href="./variables/QuorumLocker">QuorumLocker</a></li><li><a href="./variables/quorumScripts">quorumScripts</a></li></ul><h2 id="functions" tabindex="-1">Functions <a class="header-anchor" href="#functions" aria-label="Permalink to &quot;Functions&quot;">​</a></h2><ul><li><a href="./functions/createQuorumLocker">createQuorumLocker</a></li><li><a href="./functions/eachClient">eachClient</a></li></ul></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("api/@redislock/valkey-glide/quorum/index.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const index = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  index as default
};
