/** YAML for `-o yaml`. By itself, so that it is imported when needed; named here, since bundled CommonJS gives names only to a static import. */
export { stringify } from 'yaml'
