// Generated from functions/oauth/form-post.client.ts by `npm run pages`.
export const SCRIPT = "\"use strict\";(()=>{document.querySelector(\"form\")?.submit();})();"
